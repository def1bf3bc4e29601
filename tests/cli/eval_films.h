#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "eval/prediction.h"
#include "program.h"
#include "support_for_tests/paths.h"

namespace moviechat::cli::testing {

/// A data set of films of two seconds in MovieChat-1K's shape, DIR/videos and DIR/annotations, with
/// two questions about the whole of each and one about a moment.
class EvalFilms {
 public:
  explicit EvalFilms(int count);

  /// Other questions about a film; `whole` and `moments` are JSON arrays.
  void annotate(const std::string& name, const std::string& whole, const std::string& moments);

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  std::string word(const std::string& name) const { return shell_word((folder_ / name).string()); }

  /// Arguments of an eval of all films into the folder `out`.
  std::string eval(const std::string& out, const std::string& more = "") const;
  ProgramResult evaluate(const std::string& out, const std::string& more = "") const;

  /// What such a run wrote: as it is, and read.
  std::string predictions(const std::string& out) const;
  std::vector<eval::Prediction> rows(const std::string& out) const;

 private:
  moviechat::testing::TemporaryFolder folder_;
};

/// 40 frames of features as numpy's save() writes them, from 0 to below `largest`.
std::string features_file(float largest = 1);

}  // namespace moviechat::cli::testing
