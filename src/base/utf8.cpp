#include "base/utf8.h"

#include <fmt/format.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "moviechat/error.h"

namespace moviechat {
namespace {

constexpr size_t kLongest = U8_MAX_LENGTH;  // bytes of a character

}  // namespace

int utf8_character(std::string_view text) {
  const auto size = static_cast<int32_t>(std::min(text.size(), kLongest));
  int32_t end = 0;
  UChar32 c = 0;
  U8_NEXT(text.data(), end, size, c);
  if (c >= 0) return end;
  const bool unfinished = end == size && U8_IS_LEAD(text[0]);
  return unfinished ? 0 : -1;
}

size_t first_invalid_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const int length = utf8_character(text.substr(at));
    if (length <= 0) return at;
    at += static_cast<size_t>(length);
  }
  return std::string_view::npos;
}

bool is_white_space(UChar32 c) { return u_isspace(c) != 0; }

size_t leading_white_space(std::string_view text) {
  const auto size = static_cast<int32_t>(std::min(text.size(), kLongest));
  int32_t end = 0;
  UChar32 c = U_SENTINEL;
  if (size > 0) U8_NEXT(text.data(), end, size, c);
  return is_white_space(c) ? static_cast<size_t>(end) : 0;
}

std::string_view trim(std::string_view text) {
  while (const size_t length = leading_white_space(text)) text.remove_prefix(length);
  while (!text.empty()) {
    const std::string_view tail = text.substr(text.size() - std::min(text.size(), kLongest));
    auto begin = static_cast<int32_t>(tail.size());
    UChar32 c = 0;
    U8_PREV(tail.data(), 0, begin, c);
    if (!is_white_space(c)) break;
    text.remove_suffix(tail.size() - static_cast<size_t>(begin));
  }
  return text;
}

std::string case_folded(std::string_view utf8) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfkc = icu::Normalizer2::getNFKCCasefoldInstance(status);
  const icu::UnicodeString text =
      icu::UnicodeString::fromUTF8({utf8.data(), static_cast<int32_t>(utf8.size())});
  const icu::UnicodeString result = U_FAILURE(status) ? text : nfkc->normalize(text, status);
  if (U_FAILURE(status)) throw Error(fmt::format("ICU: {}", u_errorName(status)));
  std::string folded;
  return result.toUTF8String(folded);
}

}  // namespace moviechat
