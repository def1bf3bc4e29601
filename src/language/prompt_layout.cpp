#include "language/prompt_layout.h"

#include <algorithm>
#include <string>

#include "moviechat/error.h"

namespace moviechat {
namespace {

/// Takes the first `count` tokens off a part.
void cut_left(PrefixPart& part, int64_t count) {
  if (part.embeddings.defined()) {
    part.embeddings = part.embeddings.slice(0, count);
  } else {
    part.ids.erase(part.ids.begin(), part.ids.begin() + count);
  }
}

void warn_of_cut(int64_t tokens, int64_t excess, int64_t video_start, int64_t video_end,
                 int64_t longest_answer, const WarningSink& warn) {
  const std::string lost = excess <= video_start ? "the text before the video"
                           : excess < video_end  ? "the text before the video and part of the video"
                           : excess == video_end
                               ? "the video and all text before it"
                               : "the video, all text before it and the beginning of the question";
  warn("the prompt has " + std::to_string(tokens) + " tokens, but the context leaves " +
       std::to_string(tokens - excess) + " before an answer of up to " +
       std::to_string(longest_answer) + ": " + std::to_string(excess) +
       " were cut from its beginning (" + lost +
       "); shorten the question or lower generation.max_new_tokens");
}

}  // namespace

PromptLayout lay_out(const Prompt& prompt, const torch::Tensor& video, const PromptSpec& spec,
                     const GenerationOptions& options, const WarningSink& warn) {
  if (prompt.empty() || prompt.back().ids.empty()) {
    throw Error("prompt: expected text after the video, found none");
  }
  PromptLayout layout;
  int64_t tokens = 0;
  for (const PromptPart& part : prompt) {
    if (part.film) layout.video_start = tokens;
    layout.prefix.push_back({part.ids, part.film ? video : torch::Tensor()});
    tokens += layout.prefix.back().size();
  }
  // reference: what exceeds the context with the longest answer is cut from the prompt's left
  const int64_t excess = std::max<int64_t>(0, tokens - (spec.context - options.max_new_tokens));
  if (excess > 0 && warn) {
    warn_of_cut(tokens, excess, layout.video_start, layout.video_start + video.size(0),
                options.max_new_tokens, warn);
  }
  int64_t still_to_cut = excess;
  for (PrefixPart& part : layout.prefix) {
    const int64_t cut = std::min(still_to_cut, part.size());
    if (part.embeddings.defined()) layout.video_cut = cut;
    if (cut > 0) cut_left(part, cut);
    still_to_cut -= cut;
  }
  layout.video_start = std::max<int64_t>(0, layout.video_start - excess);
  layout.tail = std::move(layout.prefix.back().ids);
  layout.prefix.pop_back();
  layout.prefix_tokens = tokens - excess - std::ssize(layout.tail);
  return layout;
}

void check_generation(const GenerationOptions& options, const PromptSpec& spec) {
  options.check();
  if (options.max_new_tokens >= spec.context) {
    throw InputError("generation.max_new_tokens must be less than the model's context (" +
                     std::to_string(spec.context) + "), got " +
                     std::to_string(options.max_new_tokens));
  }
}

}  // namespace moviechat
