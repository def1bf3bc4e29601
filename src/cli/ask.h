#pragma once

#include <optional>
#include <string>

#include "cli/flags.h"
#include "cli/questions.h"
#include "cli/report.h"
#include "cli/setting_flags.h"
#include "moviechat/callbacks.h"
#include "moviechat/time.h"

namespace moviechat::cli {

/// Command line of `ask`.
struct AskOptions {
  std::optional<std::string> video;
  std::optional<std::string> features;  // in its place
  std::optional<double> features_fps;
  std::optional<Seconds> features_duration;
  QuestionFlags questions;
  FormatFlags format;
  bool evidence = false;
  LogFlags log;
  SettingsGiven settings;
};
CLI::App* add_ask(CLI::App& program, AskOptions& options);

/// Answers on stdout once all are there; a single answer on a terminal as it is made, and those
/// about moments of a film that is read as it comes while it runs. InputError for what contradicts
/// itself or is missing.
void run_ask(const AskOptions& options, const CancelFlag& cancel);

}  // namespace moviechat::cli
