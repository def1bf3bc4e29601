#pragma once

#include <string>
#include <string_view>

namespace moviechat {

/// Text from elsewhere as a terminal may get it, on one line: what would break the line, move the
/// cursor or turn the writing round (control characters, of U+0080 to U+009F too, and those of
/// writing directions) becomes a blank, several in a row one; what is not UTF-8 becomes U+FFFD.
std::string one_line(std::string_view text);

/// The same of several lines: line ends and tabs stay.
std::string harmless_lines(std::string_view text);

/// A text of at most `most` bytes with its beginning and its end, where messages say what is wrong
/// and what to do.
std::string shortened(std::string text, size_t most);

}  // namespace moviechat
