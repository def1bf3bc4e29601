#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bundle/bundle.h"
#include "language/tokenizer.h"

namespace moviechat {

/// Detokenized text → the answer: what stands before the first change of turn, of that what stands
/// after the last answer prefix, trimmed.
std::string answer_text(const PromptSpec& spec, std::string_view text);

/// Generated ids → the answer. Special tokens are dropped first.
std::string answer_text(const PromptSpec& spec, const Tokenizer& tokenizer,
                        std::span<const int64_t> ids);

/// Generated ids, one by one → pieces of the answer that can be shown. No piece splits a character
/// or shows what may still turn out to be a change of turn, an answer prefix or white space at the
/// end. The pieces since the last restart make up answer_text of all ids.
class TextStream {
 public:
  struct Piece {
    bool restart = false;  // what was shown before is not part of the answer after all
    std::string text;
  };

  TextStream(const PromptSpec& spec, const Tokenizer& tokenizer)
      : turn_(spec.turn), prefix_(spec.answer_prefix), detokenizer_(tokenizer) {}

  Piece add(int64_t id) { return show(detokenizer_.add(id), false); }
  Piece finish() { return show(detokenizer_.finish(), true); }

 private:
  Piece show(std::string_view more, bool last);
  size_t showable() const;

  std::string turn_;
  std::string prefix_;
  Detokenizer detokenizer_;
  std::string held_;    // whole characters, not yet shown
  bool shown_ = false;  // whether anything was, since the last restart
  bool over_ = false;   // the turn has changed
};

}  // namespace moviechat
