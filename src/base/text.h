#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace moviechat {

/// Text from elsewhere made safe for a terminal, on one line. Characters that break the line, move
/// the cursor or turn the writing direction (control characters, U+0080 to U+009F included) become
/// a blank, several in a row one; bytes that are not UTF-8 become U+FFFD.
std::string one_line(std::string_view text);

/// Text of several lines made safe for a terminal: line ends and tabs stay.
std::string harmless_lines(std::string_view text);

/// Text shortened to at most `most` bytes. Its beginning and end stay, where messages say what is
/// wrong and what to do.
std::string shortened(std::string text, size_t most);

/// Visits the lines of a text without their ends, counted from 1: visit(number, line).
template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    visit(number, text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

/// Columns that a text takes on a terminal.
size_t width_of(std::string_view text);

/// A number of bytes for people: "12 MiB".
std::string mebibytes(int64_t bytes);

/// Bytes in lower-case hexadecimal.
std::string in_hexadecimal(std::string_view bytes);
/// Bytes in base64 (RFC 4648), padded.
std::string in_base64(std::string_view bytes);

}  // namespace moviechat
