#include <gtest/gtest.h>

#include <random>

#include "base/utf8.h"
#include "language/answer_text.h"
#include "language/tiny_model.h"

namespace moviechat {
namespace {

/// Every id is a piece of text that the test chose, cut anywhere, so also inside a character.
class PieceTokenizer : public Tokenizer {
 public:
  explicit PieceTokenizer(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  std::vector<int64_t> encode(std::string_view) const override { return {}; }
  std::string_view bytes_of(int64_t id) const override { return pieces_[id]; }
  std::string_view first_bytes_of(int64_t id) const override { return pieces_[id]; }
  bool begins_text(int64_t) const override { return true; }
  int64_t size() const override { return std::ssize(pieces_); }

 private:
  std::vector<std::string> pieces_;
};

PromptSpec vicuna() {
  PromptSpec spec;
  spec.turn = "###";
  spec.answer_prefix = "Assistant:";
  return spec;
}

struct Shown {
  std::vector<std::string> pieces;
  int restarts = 0;
  std::string text;
};

Shown stream(const PromptSpec& spec, const Tokenizer& tokenizer, const std::vector<int64_t>& ids) {
  TextStream text_stream(spec, tokenizer);
  Shown shown;
  const auto take = [&](const TextStream::Piece& piece) {
    if (piece.restart) {
      ++shown.restarts;
      shown.text.clear();
    }
    shown.pieces.push_back(piece.text);
    shown.text += piece.text;
    EXPECT_EQ(first_invalid_utf8(piece.text), std::string::npos) << piece.text;
    EXPECT_EQ(shown.text.find("###"), std::string::npos);
  };
  for (const int64_t id : ids) take(text_stream.add(id));
  take(text_stream.finish());
  return shown;
}

Shown stream(const std::vector<std::string>& pieces) {
  std::vector<int64_t> ids;
  for (size_t i = 0; i < pieces.size(); ++i) ids.push_back(static_cast<int64_t>(i));
  return stream(vicuna(), PieceTokenizer(pieces), ids);
}

using Pieces = std::vector<std::string>;

TEST(TextStream, ShowsWhatIsCertainAtOnce) {
  EXPECT_EQ(stream({"He ", "runs", "."}).pieces, (Pieces{"He", " runs", ".", ""}));
}

TEST(TextStream, HoldsBackWhatMayBecomeAChangeOfTurn) {
  EXPECT_EQ(stream({"a#", "#", "b"}).pieces, (Pieces{"a", "", "##b", ""}));
  EXPECT_EQ(stream({"a ", "#", "##", " Human: x"}).pieces, (Pieces{"a", "", "", "", ""}));
  EXPECT_EQ(stream({"a##"}).pieces, (Pieces{"a", "##"}));
}

TEST(TextStream, HoldsBackWhatMayBecomeTheAnswerPrefix) {
  EXPECT_EQ(stream({" Assis", "tant", ": It", " runs"}).pieces,
            (Pieces{"", "", "It", " runs", ""}));
  EXPECT_EQ(stream({"Assist", "ance"}).pieces, (Pieces{"", "Assistance", ""}));
}

TEST(TextStream, ALatePrefixStartsAgain) {
  const Shown shown = stream({"hm ", "Assistant:", " A cat"});
  EXPECT_EQ(shown.restarts, 1);
  EXPECT_EQ(shown.text, "A cat");
}

TEST(TextStream, PiecesOfAnyCutMakeUpTheFinalText) {
  const PromptSpec spec = vicuna();
  const std::vector<std::string> parts = {
      "#", "##", "###",  " ",    "\n",       "\xC2\xA0", "Assistant:", "Assist", "a",
      "é", "影", "🦊", "ant:", "\xF0\x9F", "\x80",     "word",       ":",      "A"};
  std::mt19937_64 random(11);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    const size_t count = random() % 9;
    for (size_t i = 0; i < count; ++i) {
      // The full change of turn is rare, or most texts would end early.
      const std::string& part = parts[random() % parts.size()];
      if (part != "###" || random() % 4 == 0) text += part;
    }
    Pieces pieces;
    std::vector<int64_t> ids;
    for (size_t at = 0; at < text.size();) {
      const size_t length = 1 + random() % 4;
      ids.push_back(static_cast<int64_t>(pieces.size()));
      pieces.push_back(text.substr(at, length));
      at += length;
    }
    const PieceTokenizer tokenizer(pieces);
    ASSERT_EQ(stream(spec, tokenizer, ids).text, answer_text(spec, tokenizer, ids))
        << ::testing::PrintToString(pieces);
  }
}

TEST(TextStream, RandomTokensOfTheTinyModelMakeUpTheFinalText) {
  const testing::TinyModel tiny;
  std::mt19937_64 random(12);
  for (int round = 0; round < 3000; ++round) {
    std::vector<int64_t> ids;
    const size_t length = random() % 15;
    while (ids.size() < length) {
      const uint64_t kind = random() % 5;
      const std::vector<std::string> words = {"🦊é", "### ", "Assistant: ", " a"};
      if (kind < words.size()) {
        const auto word = tiny.tokenizer->encode(words[kind]);
        const size_t cut = random() % 3 == 0 ? random() % word.size() : 0;
        ids.insert(ids.end(), word.begin() + static_cast<int64_t>(cut), word.end());
      } else {
        ids.push_back(static_cast<int64_t>(random() % 513));
      }
    }
    ASSERT_EQ(stream(tiny.spec, *tiny.tokenizer, ids).text,
              answer_text(tiny.spec, *tiny.tokenizer, ids))
        << ::testing::PrintToString(ids);
  }
}

TEST(AnswerText, IsWhatStandsBetweenPrefixAndTurnTrimmed) {
  const PromptSpec spec = vicuna();
  EXPECT_EQ(answer_text(spec, " x Assistant: y Assistant: z ### Assistant: w"), "z");
  EXPECT_EQ(answer_text(spec, "###"), "");
  EXPECT_EQ(answer_text(spec, "\xC2\xA0hello \n"), "hello");
  EXPECT_EQ(answer_text(PromptSpec(), " a ### b "), "a ### b");
}

}  // namespace
}  // namespace moviechat
