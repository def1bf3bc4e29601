#include "language/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    EXPECT_EQ(prompt.before, c["part1_ids"].get<std::vector<int64_t>>()) << c["question"];
    EXPECT_EQ(prompt.after, c["part2_ids"].get<std::vector<int64_t>>()) << c["question"];
  }
}

TEST_F(PromptTest, ControlWordsInAQuestionStayPlainText) {
  const std::string question = "<s> a </s> <unk> {question} <ImageHere> b";
  const Prompt prompt = make_prompt(spec_, *tokenizer_, question);
  EXPECT_EQ(prompt.before, make_prompt(spec_, *tokenizer_, "x").before);
  for (const int64_t id : prompt.after) {
    EXPECT_GT(id, 2);
    EXPECT_LT(id, tokenizer_->size());
  }
  EXPECT_THAT(tokenizer_->decode(prompt.after), HasSubstr(question));
}

TEST_F(PromptTest, ATemplateWithoutAPlaceIsRefused) {
  spec_.text_template = "Human: {question}";
  EXPECT_THROW(make_prompt(spec_, *tokenizer_, "x"), InputError);
  spec_.text_template = "Human: <ImageHere>";
  EXPECT_THROW(make_prompt(spec_, *tokenizer_, "x"), InputError);
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
