#include "base/text.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace moviechat {
namespace {

bool steers(UChar32 c) {
  return u_iscntrl(c) || c == 0x2028 || c == 0x2029 || u_hasBinaryProperty(c, UCHAR_BIDI_CONTROL);
}

template <class Keep>
std::string without_controls(std::string_view text, Keep is_kept) {
  std::string result;
  bool in_controls = false;
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t at = 0; at < size;) {
    const int64_t begin = at;
    UChar32 c = 0;
    U8_NEXT(text.data(), at, size, c);
    const bool replaced = c >= 0 && steers(c) && !is_kept(c);
    if (replaced && !in_controls && !result.empty() && result.back() != ' ') result += ' ';
    in_controls = replaced;
    if (replaced) continue;
    if (c < 0) {
      result += "\xEF\xBF\xBD";
    } else {
      result.append(text.substr(static_cast<size_t>(begin), static_cast<size_t>(at - begin)));
    }
  }
  return result;
}

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

std::string one_line(std::string_view text) {
  std::string line = without_controls(text, [](UChar32) { return false; });
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string harmless_lines(std::string_view text) {
  return without_controls(text, [](UChar32 c) { return c == '\n' || c == '\t'; });
}

std::string shortened(std::string text, size_t most) {
  constexpr std::string_view kGap = " … ";
  if (text.size() <= most) return text;
  const size_t kept = most - kGap.size();
  size_t begin = kept / 3 * 2;
  size_t end = text.size() - kept / 3;
  while (begin > 0 && continues(text[begin])) --begin;
  while (end < text.size() && continues(text[end])) ++end;
  return text.substr(0, begin) + std::string(kGap) + text.substr(end);
}

}  // namespace moviechat
