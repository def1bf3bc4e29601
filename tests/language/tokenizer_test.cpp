#include "language/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include <fstream>
#include <random>

#include "base/files.h"
#include "moviechat/error.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/safetensors.h"

namespace moviechat {
namespace {

using testing::golden;
using testing::golden_json;
using ::testing::HasSubstr;

std::unique_ptr<Tokenizer> tiny_tokenizer() { return load_tokenizer(golden("tokenizer.model")); }

TEST(Tokenizer, EncodesAndDecodesAsTheReference) {
  const auto tokenizer = tiny_tokenizer();
  const nlohmann::json cases = golden_json("golden.json")["cases"]["language"]["tokenizer"];
  ASSERT_FALSE(cases.empty());
  for (const auto& c : cases) {
    const std::string text = c["text"];
    const auto ids = c["ids"].get<std::vector<int64_t>>();
    EXPECT_EQ(tokenizer->encode(text), ids) << "'" << text << "'";
    EXPECT_EQ(tokenizer->decode(ids), c["decoded"].get<std::string>()) << "'" << text << "'";
  }
}

TEST(Tokenizer, SpecialWordsInATextArePlainText) {
  const auto tokenizer = tiny_tokenizer();
  const nlohmann::json cases = golden_json("golden.json")["cases"]["language"]["special_words"];
  ASSERT_FALSE(cases.empty());
  for (const auto& c : cases) {
    const std::string text = c["text"];
    const auto ids = tokenizer->encode(text);
    EXPECT_EQ(ids, c["plain_ids"].get<std::vector<int64_t>>()) << text;
    EXPECT_EQ(tokenizer->decode(ids), text);
  }
}

TEST(Tokenizer, SpecialAndUnknownIdsDecodeToNothing) {
  const auto tokenizer = tiny_tokenizer();
  EXPECT_EQ(tokenizer->decode(std::vector<int64_t>{1, 0, 459, 260, 355, 466, 2, 512, -1, 99999}),
            "hello");
}

/// sentencepiece's own detokenizer is the reference for ours, which works token by token.
TEST(Tokenizer, DetokenizesAnyIdsAsSentencepieceDoes) {
  const auto tokenizer = tiny_tokenizer();
  sentencepiece::SentencePieceProcessor reference;
  ASSERT_TRUE(
      reference.LoadFromSerializedProto(read_file(golden("tokenizer.model"), "tokenizer")).ok());
  std::mt19937_64 random(5);
  for (int round = 0; round < 3000; ++round) {
    std::vector<int> ids;
    const size_t length = random() % 12;
    while (ids.size() < length) {
      switch (random() % 4) {
        case 0:  // bytes, also those that make no character
          ids.push_back(static_cast<int>(3 + random() % 256));
          break;
        case 1:  // spaces
          ids.push_back(459);
          break;
        default:
          ids.push_back(static_cast<int>(3 + random() % 509));
      }
    }
    EXPECT_EQ(tokenizer->decode(std::vector<int64_t>(ids.begin(), ids.end())),
              reference.DecodeIds(ids))
        << ::testing::PrintToString(ids);
  }
}

TEST(Detokenizer, NeverGivesPartOfACharacter) {
  const auto tokenizer = tiny_tokenizer();
  Detokenizer detokenizer(*tokenizer);
  std::vector<std::string> pieces;
  for (const int64_t id : tokenizer->encode("🦊é")) pieces.push_back(detokenizer.add(id));
  EXPECT_THAT(pieces, ::testing::ElementsAre("", "", "", "", "🦊", "", "é"));
  EXPECT_EQ(detokenizer.finish(), "");
}

TEST(Detokenizer, AnUnfinishedCharacterIsReplacedAtTheEnd) {
  const auto tokenizer = tiny_tokenizer();
  Detokenizer detokenizer(*tokenizer);
  EXPECT_EQ(detokenizer.add(198), "");
  EXPECT_EQ(detokenizer.finish(), "\xEF\xBF\xBD");
}

TEST(LoadTokenizer, NamesAFileThatIsNoTokenizer) {
  testing::TemporaryFolder folder;
  const auto message = [&](const std::string& name, const std::string& contents) -> std::string {
    std::ofstream(folder / name) << contents;
    try {
      load_tokenizer(folder / name);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message("tokenizer.model", "not a model"),
              HasSubstr("'tokenizer.model' is not a sentencepiece model (11 bytes found)"));
  EXPECT_THAT(message("empty.model", ""), HasSubstr("'empty.model' is not a sentencepiece model"));
  EXPECT_THAT(message("tokenizer.json", "{\"model\": {}}"), HasSubstr("not supported yet"));
  EXPECT_THROW(load_tokenizer(folder / "none.model"), InputError);
}

}  // namespace
}  // namespace moviechat
