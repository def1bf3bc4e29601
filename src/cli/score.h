#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "cli/options.h"
#include "cli/terminal.h"
#include "judge/judge.h"
#include "score/metrics.h"
#include "score/statistics.h"

namespace moviechat::cli {

/// How a report is printed on stdout.
enum class ScoreFormat { text, json, markdown, html };

/// What `score` does, read from a command line.
struct ScoreCommand {
  std::vector<std::filesystem::path> runs;  // one, or two to compare
  std::vector<score::Metric> metrics;
  std::filesystem::path out;     // empty: nothing but stdout is written
  std::filesystem::path videos;  // empty: no pictures
  ScoreFormat format = ScoreFormat::text;
  score::BootstrapOptions bootstrap;
  std::optional<judge::JudgeOptions> judge;  // where metrics have it
};

/// InputError for what contradicts itself or is missing. The judge's key comes from the
/// environment.
ScoreCommand read_score(const Arguments& arguments, Messages& messages);

/// Prints the report; throws SomeFailed when the judge had no verdict on some answers.
void run_score(const ScoreCommand& command, Messages& messages, const CancelFlag& cancel);

}  // namespace moviechat::cli
