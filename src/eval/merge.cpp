#include "eval/merge.h"

#include <map>
#include "base/json.h"

#include "base/files.h"
#include "base/message.h"
#include "base/text.h"
#include "eval/folder_lock.h"
#include "eval/manifest.h"
#include "eval/moviechat_format.h"
#include "eval/prediction.h"
#include "eval/run_folder.h"

namespace moviechat::eval {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  if (!fs::exists(file)) return lines;
  for_each_line(read_file(file, "shard's file"),
                [&](int64_t, std::string_view line) { lines.emplace_back(line); });
  return lines;
}

Shard shard_of(const Json& manifest, const fs::path& folder) {
  try {
    return parse_shard(manifest.at("shard").get<std::string>());
  } catch (const std::exception&) {
    throw InputError(quoted(folder / "manifest.json") + " names no shard");
  }
}

/// Facts of a run's data set, as its manifest tells them.
struct DataSetFacts {
  DataSetKind kind{};
  int64_t videos = 0;
};
template <class Visitor>
void visit_fields(DataSetFacts& o, Visitor& field) {
  field("kind", o.kind);
  field("videos", o.videos);
}

DataSetFacts data_set_of(const Json& manifest, const fs::path& folder) {
  constexpr int64_t kMostVideos = 100'000'000;
  const std::string file = quoted(folder / "manifest.json");
  try {
    const auto facts = manifest.at("data_set").get<DataSetFacts>();
    Range<int64_t>{0, kMostVideos}.check("videos", facts.videos);
    return facts;
  } catch (const Json::exception& error) {
    throw input_error(
        "{} is no manifest of a run: data_set: {}; give folders that moviechat eval wrote", file,
        json_fault(error));
  } catch (const InputError& error) {
    throw input_error("{}: data_set: {}", file, error.what());
  }
}

/// Shards by number, of one run, each once and all there.
std::map<int64_t, fs::path> ordered(const std::vector<fs::path>& folders, const Json& first) {
  const int64_t count = shard_of(first, folders[0]).count;
  std::map<int64_t, fs::path> by_number;
  for (const fs::path& folder : folders) {
    const Json manifest = read_manifest(folder);
    check_same_run(manifest, folder, first, quoted(folders[0]), "merge shards of one run", "shard");
    const Shard shard = shard_of(manifest, folder);
    if (shard.count != count) {
      throw input_error("{} is shard {}, {} is one of {}; merge shards of one run", quoted(folder),
                        to_text(shard), quoted(folders[0]), count);
    }
    const auto [known, is_new] = by_number.emplace(shard.number, folder);
    if (!is_new) {
      throw input_error("{} and {} are both shard {}", quoted(folder), quoted(known->second),
                        to_text(shard));
    }
  }
  for (int64_t number = 1; number <= count; ++number) {
    if (by_number.count(number) == 0) {
      throw input_error("shard {} is missing; expected all {}", to_text(Shard{number, count}),
                        count);
    }
  }
  return by_number;
}

/// A shard's lines by the index of their video. InputError unless they are exactly the shard's.
void take_rows(const fs::path& folder, const Shard& shard, int64_t videos,
               std::map<int64_t, std::string>& all) {
  const fs::path file = folder / "predictions.jsonl";
  const std::vector<std::string> lines = lines_of(file);
  const std::vector<int64_t> indices = shard.indices(videos);
  if (lines.size() < indices.size()) {
    throw input_error("{} has {} of its {} videos; finish it with --resume", quoted(folder),
                      lines.size(), indices.size());
  }
  for (size_t place = 0; place < lines.size(); ++place) {
    const std::string where = fmt::format("{} line {}", quoted(file), place + 1);
    const int64_t index = parse_prediction(lines[place], where).index;
    if (place >= indices.size() || index != indices[place]) {
      throw input_error("{} is of video {}, which is not the shard's there", where, index);
    }
    all[index] = lines[place];
  }
}

/// InputError when there is a run, or a file of others. Predictions without a manifest are those of
/// a merge that was killed, if they are what is to be written.
void check_is_free(const fs::path& out, const std::string& predictions) {
  const fs::path file = out / "predictions.jsonl";
  if (fs::exists(out / "manifest.json") ||
      (fs::exists(file) && read_file(file, "predictions") != predictions)) {
    throw InputError(quoted(out) + " holds a run already; give another --out");
  }
  if (!fs::exists(file)) refuse_files_of_others(out, files_of_run(), "a manifest.json");
}

}  // namespace

EvalResult merge(const std::vector<fs::path>& shards, const fs::path& out, bool moviechat_format) {
  if (shards.empty()) throw InputError("nothing to merge; give the run folders of all shards");
  Json manifest = read_manifest(shards[0]);
  const DataSetFacts data_set = data_set_of(manifest, shards[0]);
  std::map<int64_t, std::string> rows;
  std::vector<std::string> costs;
  for (const auto& [number, folder] : ordered(shards, manifest)) {
    const Descriptor reading = lock_folder(folder, Lock::shared);
    take_rows(folder, shard_of(read_manifest(folder), folder), data_set.videos, rows);
    for (std::string& line : lines_of(folder / "timings.jsonl")) costs.push_back(std::move(line));
  }

  const Descriptor lock = lock_folder(out);
  EvalResult result;
  std::string text;
  std::vector<Prediction> predictions;
  for (const auto& [index, line] : rows) {
    text += line + "\n";
    const Prediction& row = predictions.emplace_back(parse_prediction(line, "merged row"));
    ++result.videos;
    result.questions += std::ssize(row.results);
    for (Failure& failure : failures_of(row)) result.failed.push_back(std::move(failure));
  }
  check_is_free(out, text);
  std::string timings;
  for (const std::string& line : costs) timings += line + "\n";
  manifest["shard"] = to_text(Shard{});
  result.cost = cost_report(costs);
  write_file(out / "predictions.jsonl", text);
  write_file(out / "timings.jsonl", timings);
  write_cost(out, result.cost);
  if (moviechat_format) {
    write_moviechat_format(out, data_set.kind, predictions);
  }
  write_manifest(out, manifest);  // last: what has one is a whole run
  return result;
}

}  // namespace moviechat::eval
