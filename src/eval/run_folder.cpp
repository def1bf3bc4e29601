#include "eval/run_folder.h"

#include "base/files.h"
#include "base/message.h"
#include "eval/manifest.h"
#include "eval/moviechat_format.h"

namespace moviechat::eval {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::string_view kBeginOfCost = "{\"index\":";
constexpr std::string_view kBeginOfPrediction = "{\"schema_version\":";

/// What a process left that was killed while it wrote a file: .NAME.Ab3xYz, as write_file names
/// what is not whole yet.
void remove_torn_files(const fs::path& folder) {
  constexpr size_t kRandom = 6;
  std::vector<std::string> written = files_of_run();
  written.emplace_back("manifest.json");
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    for (const std::string& file : written) {
      const std::string begin = fmt::format(".{}.", file);
      std::error_code ignored;
      if (name.starts_with(begin) && name.size() == begin.size() + kRandom) {
        fs::remove(entry.path(), ignored);
      }
    }
  }
}

/// The folder, if nothing in it would be lost: before anything is written there.
const fs::path& free_of_others(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder / "manifest.json", ignored)) {
    refuse_files_of_others(folder, files_of_run(), "a manifest.json");
  }
  return folder;
}

}  // namespace

std::vector<std::string> files_of_run() {
  std::vector<std::string> names = files_of_moviechat_format();
  names.insert(names.end(), {"predictions.jsonl", "timings.jsonl", "status.json", "cost.json"});
  return names;
}

RunFolder::RunFolder(const fs::path& folder, const Json& manifest, bool resume)
    : folder_(free_of_others(folder)), lock_(lock_folder(folder)) {
  const bool begun = fs::exists(folder / "manifest.json");
  if (begun) {
    if (!resume) {
      throw input_error("'{}' holds a run already; --resume goes on with it, or give another --out",
                        folder.string());
    }
    check_same_run(read_manifest(folder), folder, manifest, "this run", "give another --out");
  }
  remove_torn_files(folder);
  if (!begun) write_manifest(folder, manifest);
  const fs::path timings = folder / "timings.jsonl";
  timings_ = std::make_unique<LineFile>(
      timings, "timings", kBeginOfCost, [&](int64_t number, std::string_view line) {
        // Later lines that are none cost a run nothing; the first
        // tells whose the file is.
        if (number == 1) parse_cost(line, fmt::format("'{}' line 1", timings.string()));
        costs_.emplace_back(line);
      });
  open_predictions();
}

void RunFolder::open_predictions() {
  const fs::path file = folder_ / "predictions.jsonl";
  lines_.clear();
  rows_.clear();
  predictions_ = std::make_unique<LineFile>(
      file, "predictions", kBeginOfPrediction, [&](int64_t number, std::string_view line) {
        lines_.emplace_back(line);
        rows_.push_back(
            parse_prediction(lines_.back(), fmt::format("'{}' line {}", file.string(), number)));
      });
}

void RunFolder::put(size_t place, Prediction row) {
  const std::string line = to_line(row);
  if (place == lines_.size()) {
    predictions_->add(line);
    lines_.push_back(line);
    rows_.push_back(std::move(row));
    return;
  }
  lines_.at(place) = line;
  std::string all;
  for (const std::string& one : lines_) all += one + "\n";
  const fs::path file = folder_ / "predictions.jsonl";
  predictions_.reset();
  write_file(file, all);
  open_predictions();
}

void RunFolder::add_cost(const VideoCost& cost) {
  costs_.push_back(to_line(cost));
  timings_->add(costs_.back());
}

void RunFolder::write_status(const Json& status) const {
  write_file(folder_ / "status.json", json_text(status, 2) + "\n");
}

}  // namespace moviechat::eval
