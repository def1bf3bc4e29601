#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>
#include "base/json.h"

#include "datasets/data_set.h"
#include "eval/shard.h"
#include "moviechat/fields.h"

namespace moviechat::eval {

/// Description of a run: all that its answers depend on.
struct RunDescription {
  std::string version;  // of the program
  std::string bundle_name;
  std::string bundle_sha256;
  std::string profile;
  std::vector<FieldText> settings;  // every one
  std::string device;               // cpu or cuda, as chosen
  std::string dtype;
  DataSetKind kind = DataSetKind::jsonl;
  std::string data_sha256;  // of the annotations
  std::string input;        // videos, features or none
  Mode mode = Mode::both;
  int64_t videos = 0;  // that are asked about, of all shards
  int64_t questions = 0;
  bool evidence = false;
  Shard shard;
};

/// Contents of manifest.json. Settings that change no answer (threads) stand apart, under
/// "machine".
nlohmann::ordered_json manifest_of(const RunDescription& run);

/// Manifest of a run folder. InputError when there is none.
nlohmann::ordered_json read_manifest(const std::filesystem::path& folder);
/// Manifest in words, in two parts: the model, and the data set. A missing field is shown as "?".
std::pair<std::string, std::string> to_text(const nlohmann::ordered_json& manifest);
void write_manifest(const std::filesystem::path& folder, const nlohmann::ordered_json& manifest);

/// Check that two manifests are of one run. InputError names the first field in which they differ,
/// "machine" and `except` aside, and ends in `way_out`.
void check_same_run(const nlohmann::ordered_json& found, const std::filesystem::path& found_in,
                    const nlohmann::ordered_json& wanted, const std::string& wanted_by,
                    const std::string& way_out, const std::string& except = "");

}  // namespace moviechat::eval
