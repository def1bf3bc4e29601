#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace moviechat::cli {

/// How many bytes from the start are well-formed UTF-8 (no overlong forms, no surrogates).
size_t valid_utf8_prefix(std::string_view text);

/// The same text with every malformed byte replaced by U+FFFD.
std::string with_valid_utf8(std::string_view text);

}  // namespace moviechat::cli
