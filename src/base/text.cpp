#include "base/text.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unicode/uchar.h>

#include "base/utf8.h"

namespace moviechat {
namespace {

bool steers(UChar32 c) {
  return u_iscntrl(c) || c == 0x2028 || c == 0x2029 || u_hasBinaryProperty(c, UCHAR_BIDI_CONTROL);
}

template <class Keep>
std::string without_controls(std::string_view text, Keep is_kept) {
  std::string result;
  bool in_controls = false;
  for_each_character(text, [&](UChar32 c, std::string_view bytes) {
    const bool replaced = c >= 0 && steers(c) && !is_kept(c);
    if (replaced && !in_controls && !result.empty() && result.back() != ' ') result += ' ';
    in_controls = replaced;
    if (!replaced) result += c < 0 ? "\xEF\xBF\xBD" : bytes;
  });
  return result;
}

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
  while (begin > 0 && U8_IS_TRAIL(text[begin])) --begin;
  while (end < text.size() && U8_IS_TRAIL(text[end])) ++end;
  return text.substr(0, begin) + std::string(kGap) + text.substr(end);
}

size_t width_of(std::string_view text) {
  size_t width = 0;
  for_each_character(text, [&](UChar32 c, std::string_view) {
    const int32_t east_asian = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    const bool mark = (U_MASK(u_charType(c)) & (U_GC_MN_MASK | U_GC_ME_MASK | U_GC_CF_MASK)) != 0;
    const bool wide = east_asian == U_EA_FULLWIDTH || east_asian == U_EA_WIDE;
    width += mark ? 0 : wide ? 2 : 1;
  });
  return width;
}

std::string mebibytes(int64_t bytes) {
  return fmt::format("{:.0f} MiB", static_cast<double>(bytes) / (1 << 20));
}

std::string in_hexadecimal(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::string in_base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

}  // namespace moviechat
