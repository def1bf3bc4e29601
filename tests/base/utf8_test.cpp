#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace moviechat {
namespace {

TEST(Utf8, KnowsWholeUnfinishedAndImpossibleCharacters) {
  struct Case {
    std::string text;
    int expected;
  };
  for (const Case& c :
       {Case{"a", 1}, Case{"é", 2}, Case{"影", 3}, Case{"🦊", 4}, Case{"\xC3", 0},
        Case{"\xF0\x9F\xA6", 0}, Case{"\xE5\xBD", 0}, Case{"\x80", -1}, Case{"\xC0\x80", -1},
        Case{"\xE0\x80\x80", -1}, Case{"\xED\xA0\x80", -1}, Case{"\xF4\x90\x80\x80", -1},
        Case{"\xF5\x80\x80\x80", -1}, Case{"\xC3(", -1}, Case{"\xFF", -1}}) {
    EXPECT_EQ(utf8_character(c.text), c.expected) << ::testing::PrintToString(c.text);
  }
}

TEST(Utf8, FindsTheFirstInvalidByte) {
  EXPECT_EQ(first_invalid_utf8("¿Dónde está? 🦊"), std::string_view::npos);
  EXPECT_EQ(first_invalid_utf8("ab\xFF"), 2U);
  EXPECT_EQ(first_invalid_utf8("ab\xF0\x9F"), 2U);
}

TEST(Trim, DropsWhiteSpaceOfAnyKindAtBothEnds) {
  EXPECT_EQ(trim(" \t\n\xC2\xA0 a b \xE3\x80\x80\r\n"), "a b");
  EXPECT_EQ(trim("\xE2\x80\xA9 \xC2\x85"), "");
  EXPECT_EQ(trim("é"), "é");
  EXPECT_EQ(trim("\xE2\x80\x8B"), "\xE2\x80\x8B");  // zero-width space is none, in Python too
  EXPECT_EQ(trim("a\x80"), "a\x80");
}

}  // namespace
}  // namespace moviechat
