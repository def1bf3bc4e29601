#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "moviechat/callbacks.h"
#include "score/scores.h"

namespace moviechat::report {

/// Scores of one run, or of two that are compared: what every format prints.
struct ScoreReport {
  std::string version;  // of the program
  score::BootstrapOptions bootstrap;
  score::ScoredRun first;
  std::optional<score::ScoredRun> second;
  std::optional<score::Comparison> comparison;

  ScoreReport() = default;
  ScoreReport(ScoreReport&&) = default;
  ScoreReport& operator=(ScoreReport&&) = default;
};

/// Report as aligned columns for a terminal.
std::string report_text(const ScoreReport& report);
/// Report as Markdown tables, for a README or an issue.
std::string report_markdown(const ScoreReport& report);
/// Report as one JSON object. Other programs may rely on its keys.
std::string report_json(const ScoreReport& report);
/// Scores of single questions as JSON lines: question, right answer, answer, and each metric.
std::string scores_jsonl(const score::ScoredRun& run);

/// Picture of a film at one time.
struct Picture {
  double at = 0;     // s
  std::string jpeg;  // a file's contents; "" where there is none
};
using Thumbnails = std::map<const eval::Result*, std::vector<Picture>>;

/// Series that decides which answers are wrong: the judge's verdicts, else the first metric whose
/// values are right or wrong. nullptr without one.
const score::Series* deciding_series(const score::ScoredRun& run);
/// Rows whose answers are wrong by the deciding series.
std::vector<score::Row> wrong_rows(const score::ScoredRun& run);

/// Function from a prediction to the file of its video; InputError when there is none.
using FindVideo = std::function<std::filesystem::path(const eval::Prediction&)>;

/// Pictures for rows: the frame at the moment that was asked about, and a frame in the middle of
/// each of the three strongest spans of evidence. A video that is missing or cannot be read has
/// none, and is reported to `warn`.
Thumbnails thumbnails_of(const std::vector<score::Row>& rows, const FindVideo& find,
                         const WarningSink& warn, const ProgressSink& progress,
                         const CancelFlag* cancel);

/// Report as one HTML page without other files: tables, plots, and every wrong answer with its
/// pictures.
std::string report_html(const ScoreReport& report, const Thumbnails& thumbnails);

}  // namespace moviechat::report
