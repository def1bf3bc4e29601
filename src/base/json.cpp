#include "base/json.h"

#include <fmt/format.h>

template class nlohmann::basic_json<>;

namespace moviechat {

bool is_nested_too_deep(std::string_view text) {
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepestJson) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

std::string json_fault(std::string_view text) {
  if (!is_nested_too_deep(text)) return "is not valid JSON";
  return fmt::format("is JSON of more than {} levels; expected fewer", kDeepestJson);
}

std::string json_fault(const nlohmann::json::exception& error) {
  // "[json.exception.out_of_range.403] key 'pred' not found"
  const std::string_view text = error.what();
  const size_t end = text.find("] ");
  return std::string(end == std::string_view::npos ? text : text.substr(end + 2));
}

}  // namespace moviechat
