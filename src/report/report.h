#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "moviechat/callbacks.h"
#include "score/scores.h"

namespace moviechat::judge {

/// A run, or two that are compared, as the formats print it.
struct ScoreReport {
  std::string version;  // of the program
  BootstrapOptions bootstrap;
  ScoredRun first;
  std::optional<ScoredRun> second;
  std::optional<Comparison> comparison;

  ScoreReport() = default;
  ScoreReport(ScoreReport&&) = default;
  ScoreReport& operator=(ScoreReport&&) = default;
};

/// Aligned columns for a terminal.
std::string report_text(const ScoreReport& report);
/// Tables for a README or an issue.
std::string report_markdown(const ScoreReport& report);
/// One object; the keys are promised to other programs.
std::string report_json(const ScoreReport& report);
/// A line for each question: what was asked, answered and scored.
std::string scores_jsonl(const ScoredRun& run);

/// A moment of a film.
struct Picture {
  double at = 0;     // s
  std::string jpeg;  // a file's contents; "" where there is none
};
using Thumbnails = std::map<const eval::Result*, std::vector<Picture>>;

/// The name of the series that says which answers are wrong: the judge's verdict, else the first of
/// right and wrong. nullptr when there is none.
const Series* deciding_series(const ScoredRun& run);
/// The rows that are wrong by it.
std::vector<Row> wrong_rows(const ScoredRun& run);

/// Finds the file of a video; InputError when there is none.
using FindVideo = std::function<std::filesystem::path(const eval::Prediction&)>;

/// Frames for rows: at the moment that was asked about, and in the middle of up to three spans of
/// evidence, the strongest. Videos that are missing or cannot be read are told to `warn` and have
/// none.
Thumbnails thumbnails_of(const std::vector<Row>& rows, const FindVideo& find,
                         const WarningSink& warn, const ProgressSink& progress,
                         const CancelFlag* cancel);

/// One page that needs nothing else: tables, plots, and every wrong answer with its pictures.
std::string report_html(const ScoreReport& report, const Thumbnails& thumbnails);

}  // namespace moviechat::judge
