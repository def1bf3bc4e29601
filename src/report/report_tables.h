#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/report.h"

namespace moviechat::judge {

/// Something worth a line: "predictions", "run/predictions.jsonl: 20 videos, 360 questions".
using Fact = std::pair<std::string, std::string>;

/// The first column names the rows; the others hold numbers.
struct Table {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

/// The words of a report, which text, Markdown and HTML set each in their way.
std::vector<Fact> facts_of(const ScoreReport& report);
std::vector<Table> tables_of(const ScoreReport& report);

/// "82.5 [76.1, 88.2]" in percent, "3.91 [3.70, 4.12]" in points; "-" of nothing.
std::string estimate_text(const Estimate& estimate, Scale scale);
/// "all", "mode global".
std::string group_title(const GroupScores& group);
/// "exact (%)".
std::string series_title(const Series& series);

}  // namespace moviechat::judge
