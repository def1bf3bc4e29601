#include "moviechat/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace moviechat {
namespace {

using ::testing::HasSubstr;

enum class Colour { red, green };
struct Inner {
  int64_t count = 3;
  double share = 0.1;
  bool on = false;
};
template <class Visitor>
void visit_fields(Inner& o, Visitor& field) {
  field("count", o.count, {-10, 1000}, "how many");
  field("share", o.share, {0, 1, false}, "which part");
  field("on", o.on, "whether");
}
struct Outer {
  Inner inner;
  Colour colour = Colour::red;
  std::string name = "a: b # c";
};
template <class Visitor>
void visit_fields(Outer& o, Visitor& field) {
  field.group("inner", o.inner);
  field("colour", o.colour, "which colour");
  field("name", o.name, "what it is called");
}

}  // namespace

template <>
struct EnumNames<Colour> {
  static constexpr std::array values{std::pair{std::string_view("red"), Colour::red},
                                     std::pair{std::string_view("green"), Colour::green}};
};

namespace {

std::string refusal(const std::string& key, const std::string& text) {
  Outer options;
  try {
    set_field(options, key, text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Fields, NumbersHaveTheirRangesWhereTheirNamesAre) {
  EXPECT_EQ(refusal("inner.count", "-10"), "accepted");
  EXPECT_EQ(refusal("inner.count", "1001"), "inner.count must be -10 to 1000, got 1001");
  EXPECT_EQ(refusal("inner.count", "-11"), "inner.count must be -10 to 1000, got -11");
  EXPECT_EQ(refusal("inner.share", "1"), "accepted");
  EXPECT_EQ(refusal("inner.share", "0"), "inner.share must be over 0 and at most 1, got 0");
  EXPECT_EQ((Range<int64_t>{1}).text(), "at least 1");
  EXPECT_EQ((Range<double>{0.001, 1e6}).text(), "0.001 to 1000000");
  EXPECT_FALSE((Range<double>{0, 1}).contains(std::nan("")));

  Outer options;
  check_ranges(options);
  options.inner.count = 5000;  // by a program, not as text
  try {
    check_ranges(options);
    ADD_FAILURE() << "was accepted";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "inner.count must be -10 to 1000, got 5000");
  }
}

TEST(Fields, AreSetByTheirDottedNames) {
  Outer options;
  set_field(options, "inner.count", "-7");
  set_field(options, "inner.share", "2.5e-1");
  set_field(options, "inner.on", "true");
  set_field(options, "colour", "green");
  EXPECT_EQ(options.inner.count, -7);
  EXPECT_EQ(options.inner.share, 0.25);
  EXPECT_TRUE(options.inner.on);
  EXPECT_EQ(options.colour, Colour::green);
}

TEST(Fields, RefuseWhatTheyCannotHold) {
  EXPECT_THAT(refusal("inner.count", "3.5"), HasSubstr("inner.count must be an integer"));
  EXPECT_THAT(refusal("inner.count", ""), HasSubstr("must be an integer"));
  EXPECT_THAT(refusal("inner.count", "99999999999999999999"), HasSubstr("must be an integer"));
  EXPECT_THAT(refusal("inner.share", "nan"), HasSubstr("must be a number"));
  EXPECT_THAT(refusal("inner.share", "1 "), HasSubstr("must be a number"));
  EXPECT_THAT(refusal("inner.on", "yes"), HasSubstr("true or false"));
  EXPECT_THAT(refusal("colour", "blue"), HasSubstr("one of red, green, got 'blue'"));
}

TEST(Fields, SuggestTheNearestNameOfATypo) {
  EXPECT_THAT(refusal("inner.cuont", "3"), HasSubstr("did you mean 'inner.count'"));
  EXPECT_THAT(refusal("count", "3"), HasSubstr("did you mean 'inner.count'"));
  EXPECT_THAT(refusal("something_else", "3"), HasSubstr("unknown setting 'something_else'"));
  EXPECT_EQ(nearest_key("-v", {{"--at", "", "", ""}}), "");
  EXPECT_EQ(nearest_key("-at", {{"--at", "", "", ""}}), "--at");
}

TEST(Fields, WhatIsPrintedReadsBack) {
  Outer options;
  options.inner.share = 1.0 / 3;
  options.name = "quote \" colon: hash # tab\t";
  Outer copy;
  for (const auto& [key, text] : yaml_leaves(to_yaml(list_fields(options)), "test")) {
    set_field(copy, key, text);
  }
  EXPECT_EQ(copy.inner.share, options.inner.share);
  EXPECT_EQ(copy.name, options.name);
}

TEST(Fields, YamlThatIsNoListOfSettingsIsRefused) {
  const auto error = [](const std::string& yaml) -> std::string {
    try {
      yaml_leaves(yaml, "my.yaml");
    } catch (const InputError& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(error("a: [1\n"), HasSubstr("'my.yaml' is not valid YAML: line"));
  EXPECT_THAT(error("- a\n"), HasSubstr("'my.yaml' must hold"));
  EXPECT_THAT(error("a: [1, 2]\n"), HasSubstr("a must be a single value"));
  EXPECT_THAT(error("a: {b: {c: {d: {e: 1}}}}\n"),
              HasSubstr("'my.yaml': a.b.c.d must be a single value, found more levels"));
  EXPECT_THAT(error("a: &a {b: *a}\n"), HasSubstr("a.b.b.b must be a single value"));
  EXPECT_EQ(error(""), "accepted");
}

}  // namespace
}  // namespace moviechat
