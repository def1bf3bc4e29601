#include "score/words.h"

#include <gmock/gmock.h>

#include "score/references.h"

namespace moviechat::score {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using List = std::vector<std::string>;

TEST(Words, AreSquadsForAscii) {
  for (const auto& one : testing::references("normalised")) {
    const auto text = one.at("text").get<std::string>();
    EXPECT_EQ(normalised_words(text), one.at("words").get<List>()) << text;
  }
}

TEST(Words, FoldCaseWidthAndCompositionOfAllScripts) {
  EXPECT_EQ(normalised_words("STRASSE"), normalised_words("straße"));
  EXPECT_EQ(normalised_words("ΟΔΟΣ"), normalised_words("οδος"));
  EXPECT_EQ(normalised_words("cafe\u0301"), normalised_words("CAFÉ"));
  EXPECT_EQ(normalised_words("ｙｅｓ！"), normalised_words("yes"));
  EXPECT_EQ(normalised_words("so\u00adft\u200b"), normalised_words("soft"));  // invisible
}

TEST(Words, LosePunctuationOfAllScripts) {
  EXPECT_THAT(normalised_words("“it’s”—yes…"), ElementsAre("itsyes"));
  EXPECT_THAT(normalised_words("你好。 世界！"), ElementsAre("你好", "世界"));
  EXPECT_THAT(normalised_words("¿no\u00a0sé?"), ElementsAre("no", "sé"));
}

TEST(Words, OfArticlesAloneStay) {
  EXPECT_THAT(normalised_words("A"), ElementsAre("a"));
  EXPECT_THAT(normalised_words("(A)"), ElementsAre("a"));
  EXPECT_NE(normalised_words("A"), normalised_words("the"));
  EXPECT_THAT(normalised_words("?"), IsEmpty());
}

TEST(Words, OfBrokenUtf8AreStillWords) {
  EXPECT_THAT(normalised_words("red\xff star"), ElementsAre("red\ufffd", "star"));
}

TEST(RougeWords, AreRunsOfLettersAndDigits) {
  EXPECT_THAT(rouge_words("It's 12:30, The_End"), ElementsAre("it", "s", "12", "30", "the", "end"));
  EXPECT_THAT(rouge_words("naïve हिन्दी"), ElementsAre("naïve", "हिन्दी"));
  EXPECT_THAT(rouge_words("你好 abc"), ElementsAre("你", "好", "abc"));
}

TEST(Runs, AreWholeWordsInOrder) {
  const List whole = {"i", "know", "no", "man"};
  EXPECT_TRUE(has_run(whole, {"no", "man"}));
  EXPECT_FALSE(has_run({"i", "know"}, {"no"}));
  EXPECT_FALSE(has_run(whole, {"man", "no"}));
  EXPECT_FALSE(has_run(whole, {}));
}

}  // namespace
}  // namespace moviechat::score
