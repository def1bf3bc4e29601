#pragma once

#include <unicode/utf8.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace moviechat {

/// Visits the characters of a text, one after the other: visit(code point, its bytes). The code
/// point is negative where bytes are not UTF-8.
template <class Visit>
void for_each_character(std::string_view text, Visit visit) {
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t begin = 0, end = 0; begin < size; begin = end) {
    UChar32 c = 0;
    U8_NEXT(text.data(), end, size, c);
    visit(c, text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
  }
}

/// The character that `text` (not empty) begins with. length > 0: a valid one of that many bytes;
/// 0: the bytes so far may become one; −1: the first byte begins none.
int utf8_character(std::string_view text);

/// Position of the first byte that is not valid UTF-8, or npos.
size_t first_invalid_utf8(std::string_view text);

/// White space as Python's str.strip knows it: what Unicode calls so, and U+001C to U+001F.
bool is_white_space(UChar32 c);

/// Bytes of the white space that `text` begins with: one character's, or 0.
size_t leading_white_space(std::string_view text);

/// Without white space at either end.
std::string_view trim(std::string_view text);

/// Text as it is compared without regard to case and to how its letters are composed: Unicode's
/// NFKC_Casefold. What is not UTF-8 becomes U+FFFD.
std::string case_folded(std::string_view utf8);

}  // namespace moviechat
