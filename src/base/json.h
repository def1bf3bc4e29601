#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

// Compiled once, in support/json.cpp, and not in each of the files that read or write JSON.
extern template class nlohmann::basic_json<>;

namespace moviechat {

/// JSON from elsewhere is nested so deep at most: what copies, compares or prints it calls itself
/// once a level.
constexpr size_t kDeepestJson = 100;

/// True when text that is read as JSON would be nested deeper. Takes one pass.
bool is_nested_too_deep(std::string_view text);

/// JSON from elsewhere: all of it is read here. Discarded (json.is_discarded()) when the text is
/// none or nested too deep.
template <class Json = nlohmann::json>
Json parse_json(std::string_view text) {
  if (is_nested_too_deep(text)) return Json(nlohmann::detail::value_t::discarded);
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

/// Why parse_json() took a text for none: "is not valid JSON", or that it is nested too deep.
std::string json_fault(std::string_view text);

/// The field that was missing or of another type, without the library's codes.
std::string json_fault(const nlohmann::json::exception& error);

}  // namespace moviechat
