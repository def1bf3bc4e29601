#include "judge/secret.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/text.h"

namespace moviechat::judge {
namespace {

constexpr size_t kShortestSpelling = 6;  // shorter ones stand in any text

/// Letters and digits alone, in lower case.
std::string bare(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 128 && std::isalnum(byte) != 0) result += static_cast<char>(std::tolower(byte));
  }
  return result;
}

/// How escapes of a character begin, how many digits follow (0: up to a ';'), and in which base.
struct Escape {
  std::string_view begin;
  size_t digits;
  int base;
};
constexpr std::array<Escape, 6> kEscapes = {
    {{"%", 2, 16}, {"\\u", 4, 16}, {"\\x", 2, 16}, {"&#x", 0, 16}, {"&#X", 0, 16}, {"&#", 0, 10}}};

/// Text with the escapes of single characters undone.
std::string without_escapes(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    size_t taken = 1;
    char c = text[0];
    for (const Escape& escape : kEscapes) {
      if (!text.starts_with(escape.begin)) continue;
      const std::string_view rest = text.substr(escape.begin.size());
      const size_t most = escape.digits > 0 ? escape.digits : 8;
      const char* last = rest.data() + std::min(rest.size(), most);
      unsigned code = 0;
      const auto [end, error] = std::from_chars(rest.data(), last, code, escape.base);
      if (error != std::errc() || code > 127) continue;
      if (escape.digits > 0 && end != rest.data() + escape.digits) continue;
      c = static_cast<char>(code);
      taken = static_cast<size_t>(end - text.data());
      break;
    }
    result += c;
    text.remove_prefix(taken);
  }
  return result;
}

}  // namespace

Secret::Secret(const std::string& key) : key_(key) {
  spellings_ = {bare(key), bare(std::string(key.rbegin(), key.rend())), in_hexadecimal(key)};
  // As it stands in the base64 of a text where 0, 1 or 2 bytes of a group come before it.
  for (const size_t before : {0, 1, 2}) {
    const std::string text = in_base64(std::string(before, '\0') + key);
    const size_t digits = (before + key.size()) * 8 / 6;  // of whole bytes of the key alone
    const size_t begin = std::min(digits, before + (before > 0));
    spellings_.push_back(bare(std::string_view(text).substr(begin, digits - begin)));
  }
  std::erase_if(spellings_, [](const std::string& one) { return one.size() < kShortestSpelling; });
}

bool Secret::is_in(std::string_view text) const {
  if (key_.empty()) return false;
  const std::string plain = without_escapes(text);
  if (text.find(key_) != std::string_view::npos || plain.find(key_) != std::string::npos) {
    return true;
  }
  const std::string raw_letters = bare(text);
  const std::string letters = bare(plain);
  return std::any_of(spellings_.begin(), spellings_.end(), [&](const std::string& spelling) {
    return raw_letters.find(spelling) != std::string::npos ||
           letters.find(spelling) != std::string::npos;
  });
}

}  // namespace moviechat::judge
