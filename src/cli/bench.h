#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "cli/report.h"
#include "cli/setting_flags.h"
#include "moviechat/callbacks.h"

namespace moviechat::cli {

/// Command line of `bench`.
struct BenchOptions {
  std::optional<std::string> what;  // limits
  double seconds = 10;              // of measuring
  FormatFlags format;
  LogFlags log;
  std::vector<Assignment> runtime;  // device and threads
};
CLI::App* add_bench(CLI::App& program, BenchOptions& options);
void run_bench(const BenchOptions& options, const CancelFlag& cancel);

}  // namespace moviechat::cli
