#include "cli/questions.h"

#include <gmock/gmock.h>

#include "base/files.h"
#include "cli/ask.h"
#include "cli/command_line.h"
#include "support_for_tests/paths.h"

namespace moviechat::cli {
namespace {

using ::testing::HasSubstr;

std::vector<Question> ask(const std::vector<std::string>& words) {
  CLI::App program;
  AskOptions options;
  parse_words(*add_ask(program, options), words);
  return questions_of(options.questions);
}
std::string refusal(const std::vector<std::string>& words) {
  try {
    ask(words);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Questions, WithoutAMomentAreAboutTheWholeFilm) {
  const auto questions = ask({"--question", "a", "--question", "b"});
  ASSERT_EQ(questions.size(), 2U);
  EXPECT_EQ(questions[1].text, "b");
  EXPECT_FALSE(questions[1].at || questions[1].at_frame);
}

TEST(Questions, OneMomentIsForAllAndSeveralForOneEach) {
  const auto shared = ask({"--question", "a", "--at", "0:30", "--question", "b"});
  EXPECT_EQ(shared[0].at, Seconds(30));
  EXPECT_EQ(shared[1].at, Seconds(30));
  const auto each =
      ask({"--question", "a", "--question", "b", "--at-frame", "1", "--at-frame", "2"});
  EXPECT_EQ(each[0].at_frame, 1);
  EXPECT_EQ(each[1].at_frame, 2);
}

TEST(Questions, ContradictionsAreRefused) {
  EXPECT_THAT(refusal({}), HasSubstr("give --question TEXT or --questions FILE"));
  EXPECT_THAT(refusal({"--question", "a", "--at", "1", "--at-frame", "1"}),
              HasSubstr("contradict each other"));
  EXPECT_THAT(refusal({"--question", "a", "--at", "1", "--at", "2"}),
              HasSubstr("found 2 --at for 1 --question"));
  EXPECT_THAT(refusal({"--questions", "f", "--at", "1"}), HasSubstr("--at goes with --question"));
}

TEST(Questions, EmptyAndMalformedTextIsRefused) {
  EXPECT_THAT(refusal({"--question", ""}), HasSubstr("is empty"));
  EXPECT_THAT(refusal({"--question", " \n\t"}), HasSubstr("is empty"));
  EXPECT_THAT(refusal({"--question", "a", "--question", "b\xff"}),
              HasSubstr("question 2 is not valid UTF-8 (byte 2)"));
}

TEST(Questions, ThoseOfAFileFollowThoseOfTheCommandLine) {
  const moviechat::testing::TemporaryFolder folder;
  write_file(folder / "q.jsonl", "{\"question\": \"second\"}\n");
  const auto questions =
      ask({"--questions", (folder / "q.jsonl").string(), "--question", "first", "--at", "3"});
  ASSERT_EQ(questions.size(), 2U);
  EXPECT_EQ(questions[0].at, Seconds(3));
  EXPECT_EQ(questions[1].text, "second");
  EXPECT_FALSE(questions[1].at);
}

}  // namespace
}  // namespace moviechat::cli
