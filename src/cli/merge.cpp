#include "cli/merge.h"

#include "cli/eval.h"
#include "eval/merge.h"

namespace moviechat::cli {

CLI::App* add_merge(CLI::App& program, MergeOptions& options) {
  CLI::App* merge = add_command(
      program, "merge", "put the shards of an evaluation together",
      "Run folders of all shards of one eval -> one run folder, the same as if the whole had been "
      "run at once. Shards of other runs, missing and unfinished ones are refused.",
      {"moviechat merge s1 s2 --out whole"});
  add_operand(*merge, "OUT...", options.shards);
  add_heading(*merge, "Output");
  add_value(*merge, "--out DIR", options.out, "the folder that is written", "run");
  add_run_format(*merge, options.moviechat_format);
  return merge;
}

void run_merge(const MergeOptions& options) {
  const std::filesystem::path& out = needed(options.out, "--out", "folder for the merged run");
  print_outcome(eval::merge(options.shards, out, options.moviechat_format), out);
}

}  // namespace moviechat::cli
