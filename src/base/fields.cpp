#include "moviechat/fields.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>

#include "base/message.h"

namespace moviechat {
namespace {

constexpr size_t kDeepest = 4;  // levels of nested options; those of the program have two

template <class Number>
bool parse_whole(const std::string& text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

/// An anchor may stand inside itself, so the depth has an end.
void collect_leaves(const YAML::Node& node, const std::string& prefix, const std::string& origin,
                    size_t depth, std::vector<std::pair<std::string, std::string>>& leaves) {
  for (const auto& entry : node) {
    const std::string key = prefix + entry.first.as<std::string>();
    if (entry.second.IsMap()) {
      if (depth == kDeepest) {
        throw input_error("'{}': {} must be a single value, found more levels", origin, key);
      }
      collect_leaves(entry.second, key + ".", origin, depth + 1, leaves);
    } else if (entry.second.IsScalar()) {
      leaves.emplace_back(key, entry.second.as<std::string>());
    } else {
      throw input_error("'{}': {} must be a single value, found a {}", origin, key,
                        entry.second.IsSequence() ? "list" : "null");
    }
  }
}

}  // namespace

std::string to_text(double value) {
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), result.ptr};
}
std::string to_text(int64_t value) { return std::to_string(value); }
std::string to_text(bool value) { return value ? "true" : "false"; }
std::string to_text(const std::string& value) { return value; }

void from_text(const std::string& key, const std::string& text, double& value) {
  double parsed = 0;
  if (!parse_whole(text, parsed) || !std::isfinite(parsed)) {
    throw input_error("{} must be a number, got '{}'", key, text);
  }
  value = parsed;
}
void from_text(const std::string& key, const std::string& text, int64_t& value) {
  int64_t parsed = 0;
  if (!parse_whole(text, parsed)) {
    throw input_error("{} must be an integer, got '{}'", key, text);
  }
  value = parsed;
}
void from_text(const std::string& key, const std::string& text, bool& value) {
  if (text != "true" && text != "false") {
    throw input_error("{} must be true or false, got '{}'", key, text);
  }
  value = text == "true";
}
void from_text(const std::string& /*key*/, const std::string& text, std::string& value) {
  value = text;
}

std::string nearest_key(const std::string& key, const std::vector<FieldText>& known) {
  std::string best;
  // Further than this is another word: a short one must share a letter.
  const auto letters =
      static_cast<size_t>(std::count_if(key.begin(), key.end(), [](char c) { return c != '-'; }));
  size_t best_distance = std::min<size_t>(4, letters);
  for (const FieldText& field : known) {
    const std::string_view full = field.key;
    const std::string_view last = full.substr(full.rfind('.') + 1);
    const size_t distance = std::min(edit_distance(key, full), edit_distance(key, last));
    if (distance < best_distance) {
      best_distance = distance;
      best = field.key;
    }
  }
  return best;
}

std::string to_yaml(const std::vector<FieldText>& fields) {
  std::string text;
  std::string group;
  for (const FieldText& field : fields) {
    const size_t dot = field.key.rfind('.');
    const std::string prefix = dot == std::string::npos ? "" : field.key.substr(0, dot);
    if (prefix != group && !prefix.empty()) text += prefix + ":\n";
    group = prefix;
    YAML::Emitter value;
    value << (field.takes == "text" ? YAML::DoubleQuoted : YAML::Auto) << field.value;
    text += fmt::format(
        "{}{}: {}  # {}{}\n", prefix.empty() ? "" : "  ", field.key.substr(dot + 1), value.c_str(),
        field.help,
        field.takes.find(',') != std::string::npos ? fmt::format(" ({})", field.takes) : "");
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> yaml_leaves(const std::string& yaml,
                                                             const std::string& origin) {
  std::vector<std::pair<std::string, std::string>> leaves;
  try {
    const YAML::Node root = YAML::Load(yaml);
    if (root.IsNull()) return leaves;
    if (!root.IsMap()) throw input_error("'{}' must hold 'key: value' lines", origin);
    collect_leaves(root, "", origin, 1, leaves);
  } catch (const YAML::Exception& error) {
    throw input_error("'{}' is not valid YAML: line {}: {}", origin, error.mark.line + 1,
                      error.msg);
  }
  return leaves;
}

}  // namespace moviechat
