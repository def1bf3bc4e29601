#include "base/moment.h"

#include <gmock/gmock.h>

#include "moviechat/error.h"

namespace moviechat {
namespace {

using ::testing::HasSubstr;

TEST(Moment, SecondsMinutesAndHoursAreRead) {
  EXPECT_DOUBLE_EQ(parse_moment("--at", "754.2").count(), 754.2);
  EXPECT_DOUBLE_EQ(parse_moment("--at", "0").count(), 0);
  EXPECT_DOUBLE_EQ(parse_moment("--at", "12:34").count(), 754);
  EXPECT_DOUBLE_EQ(parse_moment("--at", "90:00").count(), 5400);
  EXPECT_DOUBLE_EQ(parse_moment("--at", "1:02:03.5").count(), 3723.5);
  EXPECT_DOUBLE_EQ(parse_moment("--at", "0:00:00.25").count(), 0.25);
}

class NoMoment : public ::testing::TestWithParam<const char*> {};
TEST_P(NoMoment, IsRefusedInOneLineThatShowsTheForms) {
  try {
    parse_moment("--at", GetParam());
    FAIL() << "accepted " << GetParam();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--at must be a time like 754.2, 12:34 or 1:02:03.5"));
    EXPECT_THAT(error.what(), HasSubstr("got '" + std::string(GetParam()) + "'"));
  }
}
INSTANTIATE_TEST_SUITE_P(Texts, NoMoment,
                         ::testing::Values("", "-1", "nan", "NaN", "inf", "1:75", "1:60:00",
                                           "1:2:3:4", "1.5:00", "1:", ":1", "1e3", "0x10", " 1",
                                           "1 ", "1s", "1.", ".5", "1,5", "+1"));

TEST(Moment, FrameIndicesAreWholeNumbers) {
  EXPECT_EQ(parse_frame_index("--at-frame", "1800"), 1800);
  for (const char* text : {"", "-1", "1.5", "x", "99999999999999999999"}) {
    EXPECT_THROW(parse_frame_index("--at-frame", text), InputError) << text;
  }
}

TEST(Moment, InJsonIsANumberOfSecondsOrTheSameText) {
  EXPECT_EQ(moment_from_json("at", 754.5), Seconds(754.5));
  EXPECT_EQ(moment_from_json("at", 7), Seconds(7));
  EXPECT_EQ(moment_from_json("at", "0:05"), Seconds(5));
  for (const char* json : {"-1", "true", "null", "[1]", "{}", "\"soon\"", "\"1:75\"", "\"\""}) {
    EXPECT_THROW(moment_from_json("at", nlohmann::json::parse(json)), InputError) << json;
  }
}

TEST(Moment, AFrameIndexInJsonIsAWholeNumberOrItsText) {
  for (const char* json : {"1800", "1800.0", "1.8e3", "\"1800\""}) {
    EXPECT_EQ(frame_index_from_json("frame", nlohmann::json::parse(json)), 1800) << json;
  }
  for (const char* json :
       {"-1", "1.5", "1e300", "18446744073709551615", "\"0:05\"", "true", "null", "[1]"}) {
    EXPECT_THROW(frame_index_from_json("frame", nlohmann::json::parse(json)), InputError) << json;
  }
}

TEST(Moment, ClocksCarryRoundedMilliseconds) {
  EXPECT_EQ(clock_text(Seconds(3723.5)), "1:02:03.500");
  EXPECT_EQ(clock_text(Seconds(59.9996)), "0:01:00.000");
  EXPECT_EQ(clock_text(Seconds(36000), ','), "10:00:00,000");
}

}  // namespace
}  // namespace moviechat
