#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "cli/flags.h"

namespace moviechat::cli {

/// Command line of `merge`.
struct MergeOptions {
  std::vector<std::filesystem::path> shards;
  std::optional<std::filesystem::path> out;
  bool moviechat_format = false;
};
CLI::App* add_merge(CLI::App& program, MergeOptions& options);

/// Run folders of shards → one. Throws SomeFailed when a video had failed.
void run_merge(const MergeOptions& options);

}  // namespace moviechat::cli
