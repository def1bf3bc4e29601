#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "cli/flags.h"
#include "cli/setting_flags.h"
#include "eval/evaluate.h"
#include "moviechat/callbacks.h"

namespace moviechat::cli {

/// Command line of `eval`.
struct EvalOptions {
  std::optional<eval::DataSetKind> kind;
  std::optional<std::filesystem::path> annotations;
  std::optional<std::filesystem::path> out;
  eval::Mode mode = eval::Mode::both;
  std::optional<int64_t> limit;  // videos
  eval::EvalOptions run;         // --videos, --features, --shard and switches
  LogFlags log;
  SettingsGiven settings;
};
CLI::App* add_eval(CLI::App& program, EvalOptions& options);

/// Writes a run folder; says on stdout what it cost and what failed. InputError for what
/// contradicts itself or is missing; throws SomeFailed when a video did.
void run_eval(const EvalOptions& options, const CancelFlag& cancel);

/// --format moviechat, of commands that write a run folder.
void add_run_format(CLI::App& command, bool& moviechat_format);

/// What must be given: InputError names the flag that gives it.
template <class Value>
const Value& needed(const std::optional<Value>& value, const char* flag, const char* what) {
  if (value) return *value;
  throw InputError(std::string("no ") + what + "; give " + flag + " (moviechat eval --help)");
}

/// Prints what a run came to. Throws SomeFailed after that, when something failed.
void print_outcome(const eval::EvalResult& result, const std::filesystem::path& out);

}  // namespace moviechat::cli
