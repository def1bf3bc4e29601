#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/program_settings.h"
#include "cli/terminal.h"
#include "eval/evaluate.h"
#include "moviechat/error.h"

namespace moviechat::cli {

/// Some items of a batch failed, the rest is done. Exit code 3.
class SomeFailed : public Error {
 public:
  using Error::Error;
};

/// A stop that loses nothing.
class StoppedRun : public Cancelled {};

/// What `eval` does, read from a command line.
struct EvalCommand {
  MergedSettings merged;
  bool print_config = false;
  eval::DataSetKind kind = eval::DataSetKind::jsonl;
  std::filesystem::path annotations;
  eval::Mode mode = eval::Mode::both;
  std::optional<int64_t> limit;  // videos
  eval::EvalOptions run;
};

/// InputError for what contradicts itself or is missing.
EvalCommand read_eval(const Arguments& arguments, const Environment& environment,
                      Messages& messages);

/// Writes a run folder; says on stdout what it cost and what failed. Throws SomeFailed when a video
/// did.
void run_eval(const EvalCommand& command, Messages& messages, const CancelFlag& cancel);

/// `merge`: the run folders of shards → one.
struct MergeCommand {
  std::vector<std::filesystem::path> shards;
  std::filesystem::path out;
  bool moviechat_format = false;
};
MergeCommand read_merge(const Arguments& arguments);
void run_merge(const MergeCommand& command);

}  // namespace moviechat::cli
