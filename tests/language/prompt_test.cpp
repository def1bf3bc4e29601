#include "language/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/prompt_segments.h"
#include "moviechat/error.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/safetensors.h"

namespace moviechat {
namespace {

using testing::golden;
using testing::golden_json;
using ::testing::HasSubstr;

constexpr int64_t kLongest = 8;  // tokens of an answer

class PromptTest : public ::testing::Test {
 protected:
  PromptTest() {
    spec_ = read_bundle_spec(testing::tiny_bundle()).prompt;
    tokenizer_ = load_tokenizer(golden("tokenizer.model"));
  }

  std::string refusal(const std::string& question) {
    try {
      check_question(question, spec_, *tokenizer_, kLongest,
                     [this](const auto& w) { warnings_.push_back(w); });
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  PromptSpec spec_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::vector<std::string> warnings_;
};

TEST_F(PromptTest, EqualsTheReferenceForEveryQuestion) {
  const nlohmann::json cases = golden_json("golden.json")["cases"]["language"]["prompts"];
  ASSERT_FALSE(cases.empty());
  for (const auto& c : cases) {
    const Prompt prompt = make_prompt(spec_, *tokenizer_, c["question"].get<std::string>());
    ASSERT_EQ(prompt.size(), 3U);
    EXPECT_EQ(prompt[0].ids, c["part1_ids"].get<std::vector<int64_t>>()) << c["question"];
    EXPECT_TRUE(prompt[1].film);
    EXPECT_EQ(prompt[2].ids, c["part2_ids"].get<std::vector<int64_t>>()) << c["question"];
  }
}

TEST_F(PromptTest, ControlWordsInAQuestionStayPlainText) {
  const std::string question = "<s> a </s> <unk> {question} <ImageHere> b";
  const Prompt prompt = make_prompt(spec_, *tokenizer_, question);
  ASSERT_EQ(prompt.size(), 3U);
  EXPECT_EQ(prompt[0].ids, make_prompt(spec_, *tokenizer_, "x")[0].ids);
  for (const int64_t id : prompt[2].ids) {
    EXPECT_GT(id, 2);
    EXPECT_LT(id, tokenizer_->size());
  }
  EXPECT_THAT(tokenizer_->decode(prompt[2].ids), HasSubstr(question));
}

using Kind = PromptSegment::Kind;

TEST_F(PromptTest, ControlTokensStandAloneAndTurnsAreRepeated) {
  spec_.segments = {
      {.kind = Kind::token, .token = 1},
      {.text = "system"},
      {.kind = Kind::token, .token = 2},
      {.kind = Kind::film},
      {.kind = Kind::turns,
       .turn = {{.text = " Human: "},
                {.kind = Kind::question},
                {.kind = Kind::token, .token = 1},
                {.kind = Kind::answer},
                {.kind = Kind::token, .token = 2}}},
      {.text = " Human: "},
      {.kind = Kind::question},
  };
  const auto ids = [&](std::vector<int64_t> first, std::string_view text) {
    const auto more = tokenizer_->encode(text);
    first.insert(first.end(), more.begin(), more.end());
    return first;
  };
  const std::vector<Turn> turns = {{"Who?", "a man </s>"}, {"Where?", "here"}};
  const Prompt prompt = make_prompt(spec_, *tokenizer_, "Why?", turns);
  ASSERT_EQ(prompt.size(), 3U);
  std::vector<int64_t> before = ids({1}, "system");
  before.push_back(2);
  EXPECT_EQ(prompt[0].ids, before);
  EXPECT_TRUE(prompt[1].film);
  std::vector<int64_t> after;
  for (const Turn& turn : turns) {
    after = ids(after, " Human: " + turn.question);
    after.push_back(1);
    after = ids(after, turn.answer);  // in which </s> is text
    after.push_back(2);
  }
  EXPECT_EQ(prompt[2].ids, ids(after, " Human: Why?"));
  EXPECT_EQ(make_prompt(spec_, *tokenizer_, "Why?")[2].ids, ids({}, " Human: Why?"));
}

TEST_F(PromptTest, ATemplateIsItsSegments) {
  spec_.segments = segments_of_template(1, "Look: <ImageHere> Human: {question} ###");
  const Prompt prompt = make_prompt(spec_, *tokenizer_, "Why?");
  ASSERT_EQ(prompt.size(), 3U);
  EXPECT_EQ(prompt[0].ids.front(), 1);
  EXPECT_EQ(prompt[2].ids, tokenizer_->encode(" Human: Why? ###"));
}

TEST_F(PromptTest, QuestionsThatCannotBeAskedAreRefused) {
  EXPECT_EQ(refusal("What happens?"), "");
  EXPECT_THAT(refusal(""), HasSubstr("the question is empty"));
  EXPECT_THAT(refusal(" \n\xC2\xA0\t"), HasSubstr("only white space"));
  EXPECT_THAT(refusal("what\xFF"), HasSubstr("not valid UTF-8: byte 5 of 5"));
  spec_.context = 20;  // which would hold the question, but not an answer
  EXPECT_THAT(refusal("123456789 123456789"), HasSubstr("has 20 tokens, more than the 12 that"));
  spec_.context = 5;
  EXPECT_THAT(refusal("Who?"), HasSubstr("an answer of up to 8 tokens leaves no room"));
  spec_.context = 28;
  EXPECT_EQ(refusal("123456789 123456789"), "");
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(PromptTest, AChangeOfTurnInAQuestionIsKeptWithAWarning) {
  EXPECT_EQ(refusal("a###b"), "");
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], HasSubstr("'###'"));
}

}  // namespace
}  // namespace moviechat
