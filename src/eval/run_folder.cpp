#include "eval/run_folder.h"

#include "moviechat/eval/manifest.h"
#include "moviechat/support/error.h"
#include "moviechat/support/files.h"

namespace moviechat::eval {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

/// What a process left that was killed while it wrote a file: .NAME.Ab3xYz, as write_file names
/// what is not whole yet.
void remove_torn_files(const fs::path& folder) {
  constexpr size_t kRandom = 6;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    for (const char* file : {"manifest.json", "predictions.jsonl", "status.json", "cost.json"}) {
      const std::string begin = "." + std::string(file) + ".";
      std::error_code ignored;
      if (name.starts_with(begin) && name.size() == begin.size() + kRandom) {
        fs::remove(entry.path(), ignored);
      }
    }
  }
}

}  // namespace

RunFolder::RunFolder(const fs::path& folder, const Json& manifest, bool resume)
    : folder_(folder), lock_(folder) {
  const fs::path predictions = folder / "predictions.jsonl";
  const bool begun = fs::exists(folder / "manifest.json");
  if (!begun && fs::exists(predictions)) {
    throw InputError("'" + folder.string() +
                     "' holds predictions.jsonl without a manifest.json; give another --out");
  }
  if (begun) {
    if (!resume) {
      throw InputError("'" + folder.string() +
                       "' holds a run already; --resume goes on with it, or give another --out");
    }
    check_same_run(read_manifest(folder), folder, manifest, "this run", "give another --out");
  }
  remove_torn_files(folder);
  if (!begun) write_manifest(folder, manifest);
  timings_ = std::make_unique<LineLog>(folder / "timings.jsonl");
  costs_ = timings_->lines();
  predictions_ = std::make_unique<LineLog>(predictions);
  lines_ = predictions_->lines();
  for (const std::string& line : lines_) {
    rows_.push_back(parse_prediction(
        line, "'" + predictions.string() + "' line " + std::to_string(rows_.size() + 1)));
  }
}

void RunFolder::put(size_t place, Prediction row) {
  const std::string line = to_line(row);
  if (place == lines_.size()) {
    predictions_->append(line);
    lines_.push_back(line);
    rows_.push_back(std::move(row));
    return;
  }
  lines_.at(place) = line;
  rows_.at(place) = std::move(row);
  std::string all;
  for (const std::string& one : lines_) all += one + "\n";
  const fs::path file = folder_ / "predictions.jsonl";
  predictions_.reset();
  write_file(file, all);
  predictions_ = std::make_unique<LineLog>(file);
}

void RunFolder::add_cost(const VideoCost& cost) {
  costs_.push_back(to_line(cost));
  timings_->append(costs_.back());
}

void RunFolder::write_status(const Json& status) const {
  write_file(folder_ / "status.json",
             status.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace moviechat::eval
