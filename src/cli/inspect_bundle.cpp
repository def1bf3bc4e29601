#include "cli/inspect_bundle.h"

#include <fmt/format.h>

#include <array>

#include "bundle/device.h"
#include "bundle/footprint.h"
#include "engine/bundle_loading.h"
#include "language/tokenizer.h"

namespace moviechat::cli {
namespace {

namespace fs = std::filesystem;

Json sizes_json(const BundleSpec& spec) {
  const BundleSizes& sizes = spec.sizes;
  Json json;
  for (const auto& [name, value] : {std::pair{"image", sizes.image},
                                    {"tokens", sizes.tokens},
                                    {"width", sizes.width},
                                    {"queries", sizes.queries},
                                    {"hidden", sizes.hidden},
                                    {"vocabulary", sizes.vocabulary},
                                    {"rows", sizes.rows},
                                    {"positions", sizes.positions},
                                    {"context", spec.prompt.context},
                                    {"patches", sizes.patches},
                                    {"vit_width", sizes.vit_width},
                                    {"layers", sizes.layers},
                                    {"kv_heads", sizes.kv_heads},
                                    {"head_dim", sizes.head_dim}}) {
    if (value > 0) json[name] = value;  // older bundles do not say all
  }
  return json;
}

Json parts_json(const Bundle& bundle, Verify verify) {
  const BundleSpec& spec = bundle.spec();
  const std::array modules = {&bundle.frame_encoder(), &bundle.memory_reader(),
                              &bundle.language_model()};
  Json parts = Json::array();
  for (const auto& [file, hash] : spec.files) {
    Json part = {{"file", file},
                 {"bytes", fs::file_size(spec.folder / file)},
                 {"sha256", hash},
                 {"hash", verify == Verify::full ? "verified" : "not verified"}};
    for (const ScriptModule* module : modules) {
      if (module->name() != file) continue;
      const bool mixed = module == &bundle.language_model() && spec.llm_weights != spec.dtype;
      part["dtype"] = mixed ? spec.llm_weights + " and " + spec.dtype : spec.dtype;
      part["parameters"] = module->parameters();
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

Json memory_json(const Bundle& bundle, const Settings& settings) {
  const int64_t batch = settings.runtime.batch;
  const int64_t beams = settings.generation.beams;
  const Footprint footprint = measure_footprint(bundle, batch, beams);
  Json json = {{"device", bundle.device().str()},
               {"dtype", dtype_name(bundle.dtype())},
               {"batch", batch},
               {"beams", beams},
               {"context", bundle.spec().prompt.context},
               {"weights", Json::object()},
               {"kv_cache", footprint.kv_cache},
               {"activations", Json::object()},
               {"total", footprint.total()}};
  for (const auto& [part, bytes] : footprint.weights) json["weights"][part] = bytes;
  for (const auto& [part, bytes] : footprint.activations) json["activations"][part] = bytes;
  return json;
}

std::string memory_row(int64_t bytes, const std::string& what) {
  return fmt::format("  {:>10.1f} MB  {}\n", static_cast<double>(bytes) / 1e6, what);
}

std::string memory_text(const Json& memory) {
  std::string text = fmt::format("memory on {} in {}\n", memory["device"].get<std::string>(),
                                 memory["dtype"].get<std::string>());
  for (const auto& [part, bytes] : memory["weights"].items()) {
    text += memory_row(bytes, "weights " + part);
  }
  const auto beams = memory["beams"].get<int64_t>();
  text += memory_row(memory["kv_cache"],
                     fmt::format("KV cache of {} tokens{}", memory["context"].get<int64_t>(),
                                 beams == 1 ? "" : fmt::format(", with {} beams", beams)));
  int64_t most = 0;
  std::string of;
  for (const auto& [part, bytes] : memory["activations"].items()) {
    if (bytes.get<int64_t>() <= most) continue;
    most = bytes;
    of = part;
  }
  if (of == "frame_encoder.pt") of += fmt::format(", {} frames", memory["batch"].get<int64_t>());
  return text + memory_row(most, "activations, about: " + of) +
         memory_row(memory["total"], "in all, beside the program and its libraries");
}

std::string bundle_text(const Json& json) {
  const auto word = [](const Json& value) { return value.get<std::string>(); };
  const Json& bundle = json["bundle"];
  std::string text =
      fmt::format("bundle    {} ({}, {})\nsha256    {}\nsizes    ", word(bundle["name"]),
                  word(bundle["family"]), word(bundle["dtype"]), word(bundle["sha256"]));
  for (const auto& [name, value] : json["sizes"].items()) {
    text += fmt::format(" {} {}", name, value.dump());
  }
  text += "\nparts\n";
  for (const Json& part : json["parts"]) {
    text += fmt::format("  {}: {} bytes, ", word(part["file"]), part["bytes"].dump());
    if (part.contains("parameters")) {
      text += fmt::format("{} parameters in {}, ", part["parameters"].dump(), word(part["dtype"]));
    }
    text += fmt::format("sha256 {} {}\n", word(part["sha256"]), word(part["hash"]));
  }
  const Json& test = json["self_test"];
  text += fmt::format("self-test passed on {} in {}; largest differences:\n", word(test["device"]),
                      word(test["dtype"]));
  for (const auto& [part, difference] : test["differences"].items()) {
    text += fmt::format("  {}: {}\n", part, to_text(difference.get<double>()));
  }
  text += memory_text(json["memory"]);
  for (const auto& [key, value] : json["defaults"].items()) {
    text += fmt::format("default   {}: {}\n", key, word(value));
  }
  for (const Json& source : json["sources"]) {
    text += fmt::format("made from {} {}\n", word(source["file"]), word(source["sha256"]));
  }
  return text;
}

}  // namespace

std::string inspect_bundle(const MergedSettings& merged, Format format) {
  const Settings& settings = merged.chosen.settings;
  const Bundle bundle = load_bundle(merged.bundle, merged.chosen.settings.runtime);
  load_tokenizer(bundle.tokenizer_path(), bundle.spec().sizes.vocabulary);  // checks it
  bundle.check_unused_sizes();
  const BundleSpec& spec = bundle.spec();
  Json json;
  json["schema_version"] = 1;
  json["version"] = MOVIECHAT_VERSION;
  json["bundle"] = {{"name", spec.name},
                    {"sha256", spec.sha256},
                    {"path", spec.folder.string()},
                    {"family", spec.family},
                    {"dtype", spec.dtype}};
  json["sizes"] = sizes_json(spec);
  json["parts"] = parts_json(bundle, settings.runtime.verify);
  json["self_test"] = {{"passed", true},
                       {"device", bundle.device().str()},
                       {"dtype", dtype_name(bundle.dtype())},
                       {"tolerance", spec.tolerance},
                       {"differences", bundle.self_test_differences()}};
  json["memory"] = memory_json(bundle, settings);
  json["defaults"] = Json::object();
  for (const auto& [key, value] : spec.defaults) json["defaults"][key] = value;
  json["sources"] = Json::array();
  for (const auto& [file, hash] : spec.sources) {
    json["sources"].push_back({{"file", file}, {"sha256", hash}});
  }
  return format == Format::json ? printed(json) : bundle_text(json);
}

}  // namespace moviechat::cli
