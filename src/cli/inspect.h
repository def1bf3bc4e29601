#pragma once

#include <optional>
#include <string>

#include "cli/flags.h"
#include "cli/report.h"
#include "cli/setting_flags.h"
#include "moviechat/callbacks.h"

namespace moviechat::cli {

/// Command line of `inspect`.
struct InspectOptions {
  std::optional<std::string> subject;  // a video, or a bundle's folder
  std::string frames_folder;           // empty: no frames are written
  FormatFlags format;
  LogFlags log;
  SettingsGiven settings;
};
CLI::App* add_inspect(CLI::App& program, InspectOptions& options);

/// InputError for what contradicts itself or is missing.
void run_inspect(const InspectOptions& options, const CancelFlag& cancel);

}  // namespace moviechat::cli
