#include "score/metrics.h"

#include <gmock/gmock.h>

#include "score/references.h"

namespace moviechat::score {
namespace {

TEST(Metrics, ExactMatchForgivesCasePunctuationAndArticles) {
  EXPECT_TRUE(exact_match("A yellow circle.", "yellow  circle"));
  EXPECT_TRUE(exact_match("yes", "Yes."));
  EXPECT_FALSE(exact_match("yellow circle", "yellow circles"));
  EXPECT_FALSE(exact_match("yes", ""));
}

TEST(Metrics, ContainmentIsOfWholeWords) {
  EXPECT_TRUE(contains("Yellow circle", "It is a yellow circle, I think."));
  EXPECT_FALSE(contains("no", "I do not know"));
  EXPECT_FALSE(contains("yellow circle", "a circle, yellow"));
  EXPECT_FALSE(contains("...", "anything"));
}

TEST(Metrics, YesAndNoAreComparedByWhatTheAnswerSays) {
  EXPECT_EQ(yes_no("Yes.", "yes, they do"), true);
  EXPECT_EQ(yes_no("No, he is not.", "No"), true);
  EXPECT_EQ(yes_no("yes", "No, but yes"), false);
  EXPECT_EQ(yes_no("no", "I would say no"), true);
  EXPECT_EQ(yes_no("no", "I would say yes, not no"), false);  // both
  EXPECT_EQ(yes_no("no", "I do not know"), false);            // neither
  EXPECT_EQ(yes_no("no", ""), false);
}

TEST(Metrics, YesAndNoLeaveOtherReferencesOut) {
  EXPECT_EQ(yes_no("red", "yes"), std::nullopt);
  EXPECT_EQ(yes_no("No one", "no"), std::nullopt);
  EXPECT_EQ(yes_no("nobody", "no"), std::nullopt);
  EXPECT_EQ(yes_no("", "no"), std::nullopt);
}

TEST(Metrics, RougeLIsThatOfGooglesLibrary) {
  const auto recorded = testing::references("rouge_l");
  ASSERT_GE(recorded.size(), 30U);
  for (const auto& one : recorded) {
    const auto reference = one.at("reference").get<std::string>();
    const auto answer = one.at("answer").get<std::string>();
    EXPECT_NEAR(rouge_l(reference, answer), one.at("f").get<double>(), 1e-12)
        << reference << " / " << answer;
  }
}

}  // namespace
}  // namespace moviechat::score
