#include "base/utf8.h"

#include <cstdint>

namespace moviechat {
namespace {

constexpr bool continues(unsigned char byte) { return (byte & 0xC0) == 0x80; }

int length_by_lead(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return -1;
}

/// Whether the second byte rules out overlong forms, surrogates and what is beyond U+10FFFF.
bool second_fits(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second <= 0x9F;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second <= 0x8F;
    default:
      return true;
  }
}

uint32_t code_point(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return lead;
  uint32_t code = lead & (0x7FU >> character.size());
  for (size_t i = 1; i < character.size(); ++i) {
    code = code << 6 | (static_cast<unsigned char>(character[i]) & 0x3FU);
  }
  return code;
}

bool is_white_space(uint32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 ||
         code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

}  // namespace

int utf8_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const int length = length_by_lead(lead);
  if (length < 0) return -1;
  for (int i = 1; i < length; ++i) {
    if (static_cast<size_t>(i) >= text.size()) return 0;
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!continues(byte) || (i == 1 && !second_fits(lead, byte))) return -1;
  }
  return length;
}

size_t first_invalid_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const int length = utf8_character(text.substr(at));
    if (length <= 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

size_t leading_white_space(std::string_view text) {
  if (text.empty()) return 0;
  const int length = utf8_character(text);
  if (length <= 0) return 0;
  return is_white_space(code_point(text.substr(0, length))) ? length : 0;
}

std::string_view trim(std::string_view text) {
  while (const size_t length = leading_white_space(text)) text.remove_prefix(length);
  size_t end = text.size();
  while (end > 0) {
    size_t last = end - 1;
    while (last > 0 && continues(static_cast<unsigned char>(text[last]))) --last;
    if (leading_white_space(text.substr(last, end - last)) != end - last) break;
    end = last;
  }
  return text.substr(0, end);
}

}  // namespace moviechat
