#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bundle/bundle.h"
#include "language/tokenizer.h"
#include "moviechat/callbacks.h"

namespace moviechat {

/// A question as the language model reads it: ids, then the video's embeddings, then ids.
struct Prompt {
  std::vector<int64_t> before;
  std::vector<int64_t> after;
};

/// Where the video goes in a template, and where the question goes.
inline constexpr std::string_view kVideoPlace = "<ImageHere>";
inline constexpr std::string_view kQuestionPlace = "{question}";

/// Question → ids. The template is split at the video's place, each part tokenized by itself, BOS
/// before the first. The question is plain text: nothing in it splits the prompt or becomes a
/// control id. InputError when the template lacks a place.
Prompt make_prompt(const PromptSpec& spec, const Tokenizer& tokenizer, std::string_view question);

/// Bytes of the longest question that is tokenized: more than any context holds.
constexpr size_t kLongestQuestion = 256 << 10;

/// Refuses questions that cannot be asked: empty, not UTF-8, longer than kLongestQuestion or than
/// what the context leaves before an answer of `max_new_tokens` (InputError). Warns of those that
/// the model will misread: a change of turn (`###`) inside.
void check_question(std::string_view question, const PromptSpec& spec, const Tokenizer& tokenizer,
                    int64_t max_new_tokens, const WarningSink& warn);

}  // namespace moviechat
