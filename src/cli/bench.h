#pragma once

#include "cli/options.h"
#include "cli/program_settings.h"
#include "cli/report.h"
#include "cli/terminal.h"

namespace moviechat::cli {

/// What `bench` does, read from a command line.
struct BenchOptions {
  RuntimeOptions runtime;  // device and threads
  double seconds = 10;     // of measuring
  Format format = Format::text;
};

BenchOptions read_bench(const Arguments& arguments, const Environment& environment,
                        Messages& messages);

void run_bench(const BenchOptions& options, Messages& messages, const CancelFlag& cancel);

}  // namespace moviechat::cli
