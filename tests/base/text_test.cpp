#include "base/text.h"

#include <gmock/gmock.h>

namespace moviechat {
namespace {

TEST(OneLine, LetsNothingSteerATerminal) {
  EXPECT_EQ(one_line("red\x1b[2Jgreen"), "red [2Jgreen");
  EXPECT_EQ(one_line("evil\xC2\x9B"
                     "2Jname"),
            "evil 2Jname");                       // U+009B is as good as ESC [
  EXPECT_EQ(one_line("a\r\nb\tc\x7f"), "a b c");  // a row of them is one blank
  EXPECT_EQ(one_line("a\xE2\x80\xAE"
                     "b\xE2\x80\xA8"
                     "c"),
            "a b c");  // U+202E, U+2028
  EXPECT_EQ(one_line("\x9B"
                     "2J\xFF\xC3"),
            "\xEF\xBF\xBD"
            "2J\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(one_line("\xE6\xBC\xA2 \xC3\xA9 \xF0\x9F\x8E\xAC"),
            "\xE6\xBC\xA2 \xC3\xA9 \xF0\x9F\x8E\xAC");
  EXPECT_EQ(one_line("\n\n"), "");
}

TEST(HarmlessLines, KeepLineEndsAndTabs) {
  EXPECT_EQ(harmless_lines("a\tb\n\x1b]0;title\x07\n"), "a\tb\n ]0;title \n");
}

TEST(Shortened, KeepsBeginningAndEndAndWholeCharacters) {
  EXPECT_EQ(shortened("short", 5), "short");
  const std::string umlauts = [] {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "\xC3\xA4";
    return text;
  }();
  for (size_t most = 10; most < 40; ++most) {
    const std::string text = shortened("x" + umlauts + "end", most);
    EXPECT_LE(text.size(), most);
    EXPECT_TRUE(text.starts_with("x"));
    EXPECT_EQ(one_line(text), text) << "no character is cut";
  }
  EXPECT_TRUE(shortened("x" + umlauts + "end", 20).ends_with("end"));
}

TEST(Lines, AreVisitedWithTheirNumbersAndWithoutTheirEnds) {
  std::string visited;
  for_each_line("a\n\nb", [&](int64_t number, std::string_view line) {
    visited += std::to_string(number) + std::string(line) + ";";
  });
  EXPECT_EQ(visited, "1a;2;3b;");
  for_each_line("", [](int64_t, std::string_view) { FAIL(); });
}

TEST(Width, CountsColumnsAndNotBytes) {
  EXPECT_EQ(width_of("abc"), 3U);
  EXPECT_EQ(width_of("漢é"), 3U);
  EXPECT_EQ(width_of("e\u0301"), 1U);  // a combining accent takes none
}

TEST(Bytes, AreWrittenInHexadecimalAndBase64) {
  EXPECT_EQ(in_hexadecimal("\x01\xAB"), "01ab");
  EXPECT_EQ(in_base64("Ma"), "TWE=");  // RFC 4648, 4
  EXPECT_EQ(in_base64(""), "");
}

}  // namespace
}  // namespace moviechat
