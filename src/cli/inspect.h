#pragma once

#include <string>

#include "cli/options.h"
#include "cli/program_settings.h"
#include "cli/report.h"
#include "cli/terminal.h"

namespace moviechat::cli {

/// What `inspect` does, read from a command line.
struct InspectOptions {
  MergedSettings merged;
  std::string subject;  // a video, or a bundle's folder
  bool is_bundle = false;
  std::string frames_folder;  // empty: no frames are written
  Format format = Format::text;
  bool print_config = false;
};

InspectOptions read_inspect(const Arguments& arguments, const Environment& environment,
                            Messages& messages);

void run_inspect(const InspectOptions& options, Messages& messages, const CancelFlag& cancel);

}  // namespace moviechat::cli
