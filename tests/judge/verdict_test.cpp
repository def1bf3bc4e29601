#include "judge/verdict.h"

#include <gmock/gmock.h>

namespace moviechat::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
constexpr Verdict kRight{true, 4};
constexpr Verdict kWrong{false, 1};

TEST(Verdict, IsAPythonOrJsonDictionary) {
  EXPECT_EQ(parse_verdict("{'pred': 'yes', 'score': 4}"), kRight);
  EXPECT_EQ(parse_verdict("{\"pred\": \"no\", \"score\": 1}"), kWrong);
  EXPECT_EQ(parse_verdict("{'pred':'Yes','score':'4'}"), kRight);
  EXPECT_EQ(parse_verdict("{pred: yes, score: 4}"), kRight);
  EXPECT_EQ(parse_verdict("{'score': 4.0, 'pred': 'yes',}"), kRight);
  EXPECT_EQ(parse_verdict("{'pred': 'yes', 'score': 4.8}"), (Verdict{true, 4.8}));
}

TEST(Verdict, IsFoundAmongOtherThings) {
  EXPECT_EQ(parse_verdict("```python\n{'pred': 'yes',\n 'score': 4}\n```"), kRight);
  EXPECT_EQ(parse_verdict("Sure! {'pred': 'no', 'score': 1} Hope {that} helps."), kWrong);
  EXPECT_EQ(parse_verdict("{'pred': 'no', 'score': 1, 'why': 'it\\'s {not} \"so\"'}"), kWrong);
  EXPECT_EQ(parse_verdict("<think>{'pred': 'yes', 'score': 4}?</think>{'pred': 'no', 'score': 1}"),
            kWrong);
  EXPECT_EQ(parse_verdict("{'pred': 'yes', 'score': 4}\n{'pred': 'yes', 'score': 4}"), kRight);
}

TEST(Verdict, IsNotGuessed) {
  for (const char* reply : {"", "yes", "pred: yes, score: 4", "{'pred': 'yes'}", "{'score': 4}",
                            "{", "{'pred': 'yes', 'score': 4", "{'pred': 'maybe', 'score': 4}",
                            "{'pred': 'yes', 'score': 6}", "{'pred': 'yes', 'score': -1}",
                            "{'pred': 'yes', 'score': nan}", "{'pred': 'yes', 'score': 4/5}",
                            "{'pred': 'yes', 'score': None}", "{'pred': 'yes or no', 'score': 4}",
                            "{'pred': 'yes', 'pred': 'no', 'score': 4}",
                            "{'pred': 'yes', 'score': 4} {'pred': 'no', 'score': 1}"}) {
    EXPECT_EQ(parse_verdict(reply), std::nullopt) << reply;
  }
}

TEST(Verdict, IsFoundInLongRepliesToo) {
  EXPECT_EQ(parse_verdict(std::string(1 << 16, ' ') + "{'pred': 'yes', 'score': 4}"), kRight);
  EXPECT_EQ(parse_verdict(std::string(1 << 12, '{')), std::nullopt);
}

/// Reading that goes from each brace to the end would take hours for these.
TEST(Verdict, ReadingIsLinearInTheReplysLength) {
  std::string numbered;  // from each brace within a key, a dictionary goes on
  for (int i = 0; i < 100'000; ++i) {
    numbered += "'{" + std::to_string(i) + "':'{" + std::to_string(i) + ":',";
  }
  EXPECT_EQ(parse_verdict("{" + numbered), std::nullopt);
  for (const std::string& piece :
       {std::string("{'pred': "), std::string("{"), std::string("{\""), std::string("{'a':'b',"),
        std::string("{a:b,"), std::string("{'"), std::string("{ "), std::string("{'\\"),
        std::string("{x"), std::string("{x:"), std::string("{\"a\":{")}) {
    std::string text;
    while (text.size() < (4 << 20)) text += piece;
    EXPECT_EQ(parse_verdict(text), std::nullopt) << piece;
  }
}

TEST(Verdict, IsWrittenAsItIsRead) {
  for (const Verdict& verdict : {Verdict{true, 5}, Verdict{false, 0}, Verdict{true, 3.5}}) {
    EXPECT_EQ(parse_verdict(reply_of(verdict)), verdict);
  }
}

TEST(JudgePrompt, IsTheAuthors) {
  EXPECT_THAT(judge_user_prompt({"Q?", "A", "P"}),
              StartsWith("Please evaluate the following video-based question-answer pair:\n\n"
                         "Question: Q?\nCorrect Answer: A\nPredicted Answer: P\n\nProvide your "));
  EXPECT_THAT(judge_user_prompt({"", "", ""}),
              HasSubstr("value of 'pred' is  a string of 'yes' or 'no' and value of 'score' is in "
                        "INTEGER, not STRING.DO NOT PROVIDE ANY OTHER"));
  EXPECT_EQ(judge_prompt_sha256().size(), 64U);
}

TEST(ReleasedCount, TakesAnAnswerThatHoldsTheReferenceAsRight) {
  const JudgeQuestion question{"What is it?", "Red.", "a red star"};
  EXPECT_EQ(counted_as_released(question, {false, 4}), (Verdict{true, 4}));
  EXPECT_EQ(counted_as_released({"What is it?", "Red.", "blue"}, {false, 1}), kWrong);
}

TEST(ReleasedCount, LeavesOutWhatTheScoreContradicts) {
  EXPECT_EQ(counted_as_released({"What is it?", "Red.", "a red star"}, {false, 1}), std::nullopt);
  EXPECT_EQ(counted_as_released({"What is it?", "red", "blue"}, {true, 2}), std::nullopt);
  EXPECT_EQ(counted_as_released({"What is it?", "red", "blue"}, {false, 3}), std::nullopt);
}

TEST(ReleasedCount, LetsYesAndNoOfTheAnswerDecide) {
  EXPECT_EQ(counted_as_released({"Does he run?", "Yes.", "Yes, he does"}, {false, 5}),
            (Verdict{true, 5}));
  EXPECT_EQ(counted_as_released({"Is it so?", "yes", "Yes"}, {true, 1}), (Verdict{false, 1}));
  EXPECT_EQ(counted_as_released({"Are they?", "yes", "they are"}, {true, 5}), (Verdict{true, 5}));
}

}  // namespace
}  // namespace moviechat::judge
