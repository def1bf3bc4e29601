#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "judge/judge.h"
#include "moviechat/callbacks.h"
#include "score/metrics.h"
#include "score/statistics.h"

namespace moviechat::cli {

/// Command line of `score`.
struct ScoreOptions {
  std::vector<std::filesystem::path> runs;  // one, or two to compare
  std::optional<std::vector<score::Metric>> metrics;
  std::filesystem::path videos;  // empty: no pictures
  std::filesystem::path out;     // empty: nothing but stdout is written
  bool json = false;
  bool markdown = false;
  bool html = false;
  score::BootstrapOptions bootstrap;
  judge::JudgeOptions judge;
  std::optional<std::string> key_variable;  // of the environment
  LogFlags log;
};
CLI::App* add_score(CLI::App& program, ScoreOptions& options);

/// Prints the report. InputError for what contradicts itself or is missing; throws SomeFailed when
/// the judge had no verdict on some answers.
void run_score(const ScoreOptions& options, const CancelFlag& cancel);

}  // namespace moviechat::cli
