#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>
#include "base/json.h"

#include "base/line_file.h"
#include "eval/cost.h"
#include "eval/folder_lock.h"
#include "eval/prediction.h"

namespace moviechat::eval {

/// Files of a run besides manifest.json, which is its first one.
std::vector<std::string> files_of_run();

/// Files of a run, held by one process: manifest.json, predictions.jsonl, timings.jsonl,
/// status.json. Rows are kept by place: the k-th line is of the k-th video of the run.
class RunFolder {
 public:
  /// Begins a run, or with `resume` goes on with the one that is there. InputError when the folder
  /// holds a run and `resume` is false, or one of another manifest.
  RunFolder(const std::filesystem::path& folder, const nlohmann::ordered_json& manifest,
            bool resume);

  const std::filesystem::path& path() const { return folder_; }

  /// Rows that are in the file.
  const std::vector<Prediction>& rows() const { return rows_; }

  /// Puts a row at its place: at the end, or in the place of an earlier one. On the disk, whole or
  /// not at all, when it returns.
  void put(size_t place, Prediction row);
  void add_cost(const VideoCost& cost);
  void write_status(const nlohmann::ordered_json& status) const;

  /// Lines of timings.jsonl, of earlier runs too.
  const std::vector<std::string>& costs() const { return costs_; }

 private:
  void open_predictions();

  std::filesystem::path folder_;
  Descriptor lock_;
  std::unique_ptr<LineFile> predictions_;
  std::unique_ptr<LineFile> timings_;
  std::vector<std::string> lines_;
  std::vector<Prediction> rows_;
  std::vector<std::string> costs_;
};

}  // namespace moviechat::eval
