#include "engine/question_json.h"

#include <gmock/gmock.h>

#include "moviechat/error.h"

namespace moviechat {
namespace {

using ::testing::HasSubstr;

std::string refused_lines(const std::string& lines) {
  try {
    parse_questions(lines, "q.jsonl");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Questions, AFileHoldsTimesAsNumbersOrText) {
  const auto questions = parse_questions(
      "{\"question\": \"a\"}\n\n{\"question\": \"b\", \"at\": 1.5}\r\n"
      "{\"question\": \"c\", \"at\": \"1:02\"}\n{\"question\": \"d\", \"at_frame\": 7}\n"
      "{\"question\": \"e\", \"at\": null, \"at_frame\": null}",
      "q.jsonl");
  ASSERT_EQ(questions.size(), 5U);
  EXPECT_FALSE(questions[0].at);
  EXPECT_EQ(questions[1].at, Seconds(1.5));
  EXPECT_EQ(questions[2].at, Seconds(62));
  EXPECT_EQ(questions[3].at_frame, 7);
  EXPECT_FALSE(questions[4].at || questions[4].at_frame);
}

TEST(Questions, ABadLineIsNamedByItsNumber) {
  EXPECT_THAT(refused_lines("{\"question\": \"a\"}\n{oops\n"), HasSubstr("'q.jsonl' line 2"));
  EXPECT_THAT(refused_lines("[]"), HasSubstr("must be an object with a text \"question\""));
  EXPECT_THAT(refused_lines("{\"question\": 3}"), HasSubstr("text \"question\""));
  EXPECT_THAT(refused_lines("{\"question\": \"a\", \"att\": 3}"), HasSubstr("unknown key 'att'"));
  EXPECT_THAT(refused_lines("{\"question\": \"a\", \"at\": -3}"), HasSubstr("got -3"));
  EXPECT_THAT(refused_lines("{\"question\": \"a\", \"at\": \"1:75\"}"), HasSubstr("below 60"));
  EXPECT_THAT(refused_lines("{\"question\": \"a\", \"at\": 1e999}"), HasSubstr("line 1"));
  EXPECT_THAT(refused_lines("{\"question\": \"a\", \"at_frame\": 1.5}"), HasSubstr("got 1.5"));
  EXPECT_THAT(refused_lines("{\"question\": \"a\", \"at_frame\": 18446744073709551615}"),
              HasSubstr("got 18446744073709551615"));
  EXPECT_THAT(refused_lines("{\"question\": \"a\", \"at\": 1, \"at_frame\": 1}"),
              HasSubstr("both"));
  EXPECT_THAT(refused_lines("{\"question\": \"\"}"), HasSubstr("is empty"));
  EXPECT_THAT(refused_lines("{\"question\": \"\xff\"}"), HasSubstr("line 1"));
  EXPECT_THAT(refused_lines("\n\n"), HasSubstr("holds no question"));
}

}  // namespace
}  // namespace moviechat
