#include "eval/manifest.h"

#include <algorithm>
#include <array>

#include "base/files.h"
#include "base/message.h"

namespace moviechat::eval {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// Settings that change no answer, or that stand in the manifest as what became of them.
constexpr std::array kMachine = {"runtime.threads", "runtime.verify", "runtime.device",
                                 "runtime.dtype",   "video.threads",  "model"};

std::string shown(const Json& value) {
  return value.is_string() ? fmt::format("'{}'", value.get<std::string>()) : value.dump();
}

/// "a.b" of the first leaf in which they differ, and its values; null where one has none.
struct Difference {
  std::string name;
  Json found;
  Json wanted;
};
std::optional<Difference> difference(const Json& found, const Json& wanted, const std::string& name,
                                     const std::string& except) {
  if (!found.is_object() || !wanted.is_object()) {
    if (found == wanted) return std::nullopt;
    return Difference{name, found, wanted};
  }
  Json keys = wanted;
  keys.update(found);
  for (const auto& [key, ignored] : keys.items()) {
    const std::string inner = name.empty() ? key : fmt::format("{}.{}", name, key);
    if (inner == "machine" || inner == except) continue;
    const Json left = found.contains(key) ? found[key] : Json();
    const Json right = wanted.contains(key) ? wanted[key] : Json();
    if (auto differs = difference(left, right, inner, except)) return differs;
  }
  return std::nullopt;
}

}  // namespace

Json manifest_of(const RunDescription& run) {
  Json json;
  json["schema_version"] = 1;
  json["version"] = run.version;
  json["bundle"] = {{"name", run.bundle_name}, {"sha256", run.bundle_sha256}};
  json["profile"] = run.profile;
  json["device"] = run.device;
  json["dtype"] = run.dtype;
  json["data_set"] = {{"kind", name_of(run.kind)},
                      {"sha256", run.data_sha256},
                      {"mode", name_of(run.mode)},
                      {"videos", run.videos},
                      {"questions", run.questions}};
  json["input"] = run.input;
  json["evidence"] = run.evidence;
  json["shard"] = to_text(run.shard);
  json["settings"] = Json::object();
  json["machine"] = Json::object();
  for (const FieldText& field : run.settings) {
    if (field.key == "profile") continue;
    const bool machine = std::find(kMachine.begin(), kMachine.end(), field.key) != kMachine.end();
    json[machine ? "machine" : "settings"][field.key] = field.value;
  }
  return json;
}

Json read_manifest(const fs::path& folder) {
  const fs::path file = folder / "manifest.json";
  if (!fs::exists(file)) {
    throw input_error("'{}' holds no run: there is no manifest.json in it", folder.string());
  }
  Json json = parse_json<Json>(read_file(file, "manifest"));
  if (!json.is_object()) throw input_error("'{}' is no manifest of a run", file.string());
  return json;
}

std::pair<std::string, std::string> to_text(const Json& manifest) {
  const auto at = [&](const char* pointer) {
    const Json::json_pointer place(pointer);
    if (!manifest.contains(place)) return std::string("?");
    const Json& value = manifest[place];
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  const auto hash = [&](const char* pointer) { return at(pointer).substr(0, 12); };
  const std::string mode = at("/data_set/mode");
  return {fmt::format("{} {}, profile {}, plan {}, in {} on {}, moviechat {}", at("/bundle/name"),
                      hash("/bundle/sha256"), at("/profile"), at("/settings/plan.kind"),
                      at("/dtype"), at("/device"), at("/version")),
          fmt::format("{} {}, {} questions about {} videos{}", at("/data_set/kind"),
                      hash("/data_set/sha256"), at("/data_set/questions"), at("/data_set/videos"),
                      mode == "both" ? "" : fmt::format(", {} alone", mode))};
}

void write_manifest(const fs::path& folder, const Json& manifest) {
  write_file(folder / "manifest.json", json_text(manifest, 2) + "\n");
}

void check_same_run(const Json& found, const fs::path& found_in, const Json& wanted,
                    const std::string& wanted_by, const std::string& way_out,
                    const std::string& except) {
  const auto differs = difference(found, wanted, "", except);
  if (!differs) return;
  throw input_error("'{}' was made with {} {}, {} has {}; {}", found_in.string(), differs->name,
                    shown(differs->found), wanted_by, shown(differs->wanted), way_out);
}

}  // namespace moviechat::eval
