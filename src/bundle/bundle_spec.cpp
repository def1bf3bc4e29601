#include <yaml-cpp/yaml.h>

#include "base/files.h"
#include "bundle/bundle.h"
#include "bundle/prompt_segments.h"
#include "moviechat/error.h"
#include "moviechat/fields.h"

namespace moviechat {
namespace {

constexpr int64_t kSchemaVersion = 1;
constexpr int64_t kInterfaceVersion = 2;  // of the modules' methods: 2 has step_rows
constexpr std::string_view kModelFile = "model.yaml";
constexpr Range<int64_t> kSizes{1, int64_t{1} << 24};  // of the largest models some 2¹⁸

/// One YAML mapping with the dotted path at which it stands, for messages.
class Section {
 public:
  Section(YAML::Node node, std::string path) : node_(std::move(node)), path_(std::move(path)) {}

  Section section(const std::string& key) const {
    const YAML::Node child = node_[key];
    if (!child || !child.IsMap()) fail(key, "a mapping", child ? "something else" : "nothing");
    return {child, path_ + key + "."};
  }
  template <class T>
  T get(const std::string& key) const {
    const YAML::Node child = node_[key];
    if (!child) fail(key, "a value", "nothing");
    try {
      return child.as<T>();
    } catch (const YAML::Exception&) {
      fail(key, "another type", YAML::Dump(child));
    }
  }
  int64_t number(const std::string& key, const Range<int64_t>& range) const {
    const auto value = get<int64_t>(key);
    if (!range.contains(value)) fail(key, range.text(), std::to_string(value));
    return value;
  }
  const YAML::Node& node() const { return node_; }
  [[noreturn]] void fail(const std::string& key, const std::string& expected,
                         const std::string& found) const {
    throw InputError(std::string(kModelFile) + ": " + path_ + key + " must be " + expected +
                     ", found " + found);
  }

 private:
  YAML::Node node_;
  std::string path_;
};

PromptSpec read_prompt(const Section& section, int64_t vocabulary) {
  PromptSpec prompt;
  const Range<int64_t> ids{0, vocabulary - 1};
  try {
    if (const YAML::Node segments = section.node()["segments"]) {
      prompt.segments = read_segments(segments, ids);
    } else {
      prompt.segments =
          segments_of_template(section.number("bos", ids), section.get<std::string>("template"));
    }
  } catch (const SegmentError& error) {
    section.fail(section.node()["segments"] ? "segments" : "template", error.expected, error.found);
  }
  prompt.eos = section.number("eos", ids);
  prompt.stop = section.get<std::vector<std::vector<int64_t>>>("stop");
  for (const std::vector<int64_t>& end : prompt.stop) {
    if (end.empty()) section.fail("stop", "lists of token ids", "an empty one");
    for (const int64_t id : end) {
      if (!ids.contains(id)) section.fail("stop", "of ids " + ids.text(), std::to_string(id));
    }
  }
  prompt.answer_prefix = section.get<std::string>("answer_prefix");
  prompt.turn = section.get<std::string>("turn");
  prompt.context = section.number("context", kSizes);
  return prompt;
}

BundleSizes read_sizes(const Section& section) {
  BundleSizes sizes;
  sizes.image = section.number("image", {1, 4096});
  sizes.tokens = section.number("tokens", kSizes);
  sizes.width = section.number("width", kSizes);
  sizes.queries = section.number("queries", kSizes);
  sizes.hidden = section.number("hidden", kSizes);
  sizes.vocabulary = section.number("vocab", kSizes);
  sizes.rows = section.number("rows", kSizes);
  sizes.positions = section.number("positions", kSizes);
  for (const auto& [key, value] : {std::pair{"patch_tokens", &sizes.patches},
                                   {"vit_width", &sizes.vit_width},
                                   {"layers", &sizes.layers},
                                   {"kv_heads", &sizes.kv_heads},
                                   {"head_dim", &sizes.head_dim}}) {
    if (section.node()[key]) *value = section.number(key, kSizes);
  }
  if (sizes.rows < sizes.vocabulary) {
    section.fail("rows", "at least vocab (" + std::to_string(sizes.vocabulary) + ")",
                 std::to_string(sizes.rows));
  }
  return sizes;
}

std::map<std::string, SelfTest> read_self_test(const Section& section) {
  std::map<std::string, SelfTest> tests;
  for (const char* part : {"frame_encoder", "memory_reader", "language_model"}) {
    const Section test = section.section(part);
    tests[part] = {test.get<std::vector<int64_t>>("shape"),
                   test.get<std::vector<double>>("values")};
    if (tests[part].values.empty()) test.fail("values", "a list of numbers", "an empty list");
  }
  return tests;
}

void add_defaults(const YAML::Node& root, const std::string& group, BundleSpec& spec) {
  for (const auto& entry : root[group]) {
    spec.defaults.emplace_back(group + "." + entry.first.as<std::string>(),
                               entry.second.as<std::string>());
  }
}

/// What stands at a path. InputError with the reason when that cannot be told.
std::filesystem::file_type type_at(const std::filesystem::path& path) {
  std::error_code error;
  const auto type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::none) {
    throw InputError("cannot read bundle '" + path.string() + "': " + error.message());
  }
  return type;
}

void read_files(const Section& root, BundleSpec& spec) {
  spec.files = root.get<std::map<std::string, std::string>>("files");
  for (const char* part : {"frame_encoder.pt", "memory_reader.pt", "language_model.pt"}) {
    if (!spec.files.contains(part)) root.fail(std::string("files.") + part, "a sha256", "nothing");
  }
  if (!spec.files.contains("tokenizer.model") && !spec.files.contains("tokenizer.json")) {
    root.fail("files", "a list with tokenizer.model or tokenizer.json", "neither");
  }
  for (const auto& [part, hash] : spec.files) {
    if (part.find('/') != std::string::npos || part.starts_with("."))
      root.fail("files", "names in this folder", "'" + part + "'");
  }
}

void check_parts_are_there(const BundleSpec& spec) {
  for (const auto& [part, hash] : spec.files) {
    if (type_at(spec.folder / part) != std::filesystem::file_type::regular) {
      throw InputError("bundle '" + spec.folder.string() + "' lacks " + part +
                       ", which its model.yaml lists; copy or convert the bundle again");
    }
  }
}

}  // namespace

BundleSpec parse_bundle_spec(const std::string& text, const std::filesystem::path& folder) {
  BundleSpec spec;
  spec.folder = folder;
  spec.sha256 = moviechat::sha256(text);
  try {
    const Section root(YAML::Load(text), "");
    if (!root.node().IsMap()) {
      throw InputError(std::string(kModelFile) + ": must hold 'key: value' lines");
    }
    const auto schema = root.get<int64_t>("schema_version");
    if (schema != kSchemaVersion) {
      throw InputError(
          "bundle '" + folder.string() + "' has schema version " + std::to_string(schema) +
          ", this program reads version " + std::to_string(kSchemaVersion) +
          (schema > kSchemaVersion ? "; use a newer moviechat" : "; convert the bundle again"));
    }
    if (root.node()["interface_version"]) {
      spec.interface_version = root.number("interface_version", {1});
    }
    if (spec.interface_version > kInterfaceVersion) {
      throw InputError("bundle '" + folder.string() + "' has interface version " +
                       std::to_string(spec.interface_version) + ", this program reads up to " +
                       std::to_string(kInterfaceVersion) + "; use a newer moviechat");
    }
    spec.name = root.get<std::string>("name");
    spec.family = root.get<std::string>("family");
    spec.dtype = root.get<std::string>("dtype");
    spec.llm_weights =
        root.node()["llm_weights"] ? root.get<std::string>("llm_weights") : spec.dtype;
    spec.sizes = read_sizes(root.section("sizes"));
    spec.filter = root.section("pixels").get<std::string>("filter");
    spec.prompt = read_prompt(root.section("prompt"), spec.sizes.vocabulary);
    for (const char* group : {"memory", "plan", "generation"}) {
      add_defaults(root.node(), group, spec);
    }
    read_files(root, spec);
    for (const auto& source : root.node()["sources"]) {
      const Section entry(source, "sources.");
      spec.sources.emplace_back(entry.get<std::string>("file"), entry.get<std::string>("sha256"));
    }
    const Section self_test = root.section("self_test");
    spec.self_test = read_self_test(self_test);
    spec.tolerance = self_test.get<double>("tolerance");
    if (constexpr Range<double> allowed{0, 1}; !allowed.contains(spec.tolerance)) {
      self_test.fail("tolerance", allowed.text(), to_text(spec.tolerance));
    }
  } catch (const YAML::Exception& error) {
    throw InputError(std::string(kModelFile) + " of '" + folder.string() +
                     "' is not valid YAML: line " + std::to_string(error.mark.line + 1) + ": " +
                     error.msg);
  }
  return spec;
}

BundleSpec read_bundle_spec(const std::filesystem::path& folder) {
  if (type_at(folder) != std::filesystem::file_type::directory) {
    throw InputError("no bundle at '" + folder.string() + "': expected a folder with " +
                     std::string(kModelFile) + "; name another folder");
  }
  if (type_at(folder / kModelFile) == std::filesystem::file_type::not_found) {
    throw InputError("'" + folder.string() + "' is not a bundle: it has no " +
                     std::string(kModelFile));
  }
  BundleSpec spec = parse_bundle_spec(read_file(folder / kModelFile, "bundle description"), folder);
  check_parts_are_there(spec);
  return spec;
}

void verify_hashes(const BundleSpec& spec) {
  for (const auto& [part, expected] : spec.files) {
    const std::string found = sha256_of_file(spec.folder / part);
    if (found != expected) {
      throw InputError("bundle '" + spec.folder.string() + "': " + part + " has sha256 " +
                       found.substr(0, 12) + "…, model.yaml says " + expected.substr(0, 12) +
                       "…; it is damaged or of another bundle: copy or convert the bundle again");
    }
  }
}

}  // namespace moviechat
