#pragma once

#include <cstdint>
#include <vector>

#include "language/prefix_cache.h"
#include "language/prompt.h"
#include "moviechat/callbacks.h"
#include "moviechat/options.h"

namespace moviechat {

/// A prompt as the language model reads it: a prefix that other questions share, then ids.
struct PromptLayout {
  std::vector<PrefixPart> prefix;
  std::vector<int64_t> tail;
  int64_t prefix_tokens = 0;
  int64_t video_start = 0;  // position of the first video embedding that remains after cutting
  int64_t video_cut = 0;    // video embeddings that the context cut off

  int64_t tokens() const { return prefix_tokens + std::ssize(tail); }
};

/// Puts the video embeddings [Q, H] into a prompt. Tokens that do not fit the context beside the
/// longest allowed answer are cut from the left, with a warning that says what is lost. Error when
/// the prompt does not end with text.
PromptLayout lay_out(const Prompt& prompt, const torch::Tensor& video, const PromptSpec& spec,
                     const GenerationOptions& options, const WarningSink& warn);

/// InputError for options that contradict each other or the model's context.
void check_generation(const GenerationOptions& options, const PromptSpec& spec);

}  // namespace moviechat
