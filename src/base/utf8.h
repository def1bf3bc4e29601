#pragma once

#include <cstddef>
#include <string_view>

namespace moviechat {

/// The character that `text` (not empty) begins with. length > 0: a valid one of that many bytes;
/// 0: the bytes so far may become one; −1: the first byte begins none.
int utf8_character(std::string_view text);

/// Position of the first byte that is not valid UTF-8, or npos.
size_t first_invalid_utf8(std::string_view text);

/// Bytes of the white space (Unicode's, as Python's str.strip knows it) that `text` begins with:
/// one character's, or 0.
size_t leading_white_space(std::string_view text);

/// Without white space at either end.
std::string_view trim(std::string_view text);

}  // namespace moviechat
