#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/bundle.h"
#include "language/tokenizer.h"
#include "moviechat/callbacks.h"

namespace moviechat {

/// A stretch of a prompt: ids, or the place of the film's embeddings.
struct PromptPart {
  std::vector<int64_t> ids;
  bool film = false;
};

/// A question as the language model reads it.
using Prompt = std::vector<PromptPart>;

/// An earlier question about the film, and its answer.
struct Turn {
  std::string question;
  std::string answer;
};

/// Question, and the turns before it → prompt. Texts between control tokens and the film are
/// tokenized by themselves. Questions and answers are plain text: nothing in them splits the prompt
/// or becomes a control id.
Prompt make_prompt(const PromptSpec& spec, const Tokenizer& tokenizer, std::string_view question,
                   std::span<const Turn> turns = {});

/// Bytes of the longest question that is tokenized: more than any context holds.
constexpr size_t kLongestQuestion = 256 << 10;

/// Refuses questions that cannot be asked: empty, not UTF-8, longer than kLongestQuestion or than
/// what the context leaves before an answer of `max_new_tokens` (InputError). Warns of those that
/// the model will misread: a change of turn (`###`) inside.
void check_question(std::string_view question, const PromptSpec& spec, const Tokenizer& tokenizer,
                    int64_t max_new_tokens, const WarningSink& warn);

}  // namespace moviechat
