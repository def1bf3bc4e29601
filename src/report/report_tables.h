#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/report.h"

namespace moviechat::report {

/// Line about a run: name and text, as "predictions" and "run/predictions.jsonl: 20 videos".
using Fact = std::pair<std::string, std::string>;

/// Table of a report. Its first column names the rows; the others hold numbers.
struct Table {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

/// Contents of a report in words, which text, Markdown and HTML lay out in their own ways.
std::vector<Fact> facts_of(const ScoreReport& report);
std::vector<Table> tables_of(const ScoreReport& report);

/// Mean with its interval: "82.5 [76.1, 88.2]" in percent, "3.91 [3.70, 4.12]" in points; "-"
/// without values.
std::string estimate_text(const score::Estimate& estimate, score::Scale scale);
/// Name of a group in tables: "all", "mode global".
std::string group_title(const score::GroupScores& group);
/// Name of a series in tables, with its unit: "exact (%)".
std::string series_title(const score::Series& series);

}  // namespace moviechat::report
