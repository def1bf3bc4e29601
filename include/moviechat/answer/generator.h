#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moviechat/answer/answer_text.h"
#include "moviechat/answer/generation_options.h"
#include "moviechat/answer/language_model.h"
#include "moviechat/answer/logits.h"
#include "moviechat/answer/sampler.h"
#include "moviechat/answer/stop_rule.h"
#include "moviechat/prompt/prompt.h"
#include "moviechat/prompt/tokenizer.h"
#include "moviechat/prompt/video_tokens.h"
#include "moviechat/support/callbacks.h"

namespace moviechat {

/// What an answer tells while it is being made. All may be left empty.
struct AnswerCallbacks {
  /// The next piece of the answer, in whole characters. `false` cancels: Cancelled is thrown.
  std::function<bool(std::string_view)> on_text;
  /// The model repeated the answer prefix late: pieces so far are not part of the answer.
  std::function<void()> on_restart;
  WarningSink warn;
  const CancelFlag* cancel = nullptr;
};

/// An answer.
struct Generation {
  std::vector<int64_t> ids;  // with the EOS or stop sequence that ended them
  std::string text;
  FinishReason reason = FinishReason::length;
  int64_t prompt_tokens = 0;  // positions before the answer, the video's among them
  int64_t answer_tokens = 0;
  double prompt_seconds = 0;  // until the prompt was read; a device may still be at it
  torch::Tensor
      attention;  // [Q] float32 on the CPU: of the answer's tokens to the video embeddings,
                  // mean over tokens, layers and heads; undefined unless asked for
};

/// Prompts → answers. Keeps one key-value cache, allocated once: of what it has read for the
/// question before, the text before the video, and the video too if it is the same, are not read
/// again. An answer does not depend on what was asked before: a prompt is always read in the same
/// three parts, each whole or not at all. One thread at a time; model and tokenizer outlive it.
class Generator {
 public:
  Generator(const LanguageModel& model, const Tokenizer& tokenizer, PromptSpec spec,
            GenerationOptions options);

  /// Throws Cancelled when a callback says so, InputError when the context leaves no room.
  Generation answer(const Prompt& prompt, const VideoTokens& video,
                    const AnswerCallbacks& callbacks = {}, bool with_attention = false);

  /// Prompt positions that went through the language model so far.
  int64_t prefilled_tokens() const { return prefilled_tokens_; }

 private:
  /// Part of a prompt: ids or rows of the video's embeddings.
  struct Part {
    std::vector<int64_t> ids;
    torch::Tensor rows;  // [n, H]
    int64_t size() const { return rows.defined() ? rows.size(0) : std::ssize(ids); }
    bool same_as(const Part& other) const;
  };
  struct Layout {
    std::vector<Part> parts;
    int64_t tokens = 0;
    int64_t video_start = 0;  // position of the first video embedding that is left
    int64_t video_cut = 0;    // embeddings that the context cut off
  };

  Layout lay_out(const Prompt& prompt, const VideoTokens& video, const WarningSink& warn) const;
  torch::Tensor prefill(const Layout& layout, const CancelFlag* cancel);
  void make_room(int64_t positions);
  std::span<float> on_host(const torch::Tensor& logits);
  std::vector<int64_t> follow_one(torch::Tensor logits, const AnswerCallbacks& callbacks,
                                  FinishReason& reason);
  std::vector<int64_t> follow_beams(const torch::Tensor& logits, const CancelFlag* cancel,
                                    FinishReason& reason);
  torch::Tensor video_attention(const Layout& layout, std::span<const int64_t> ids,
                                int64_t queries);

  const LanguageModel& model_;
  const Tokenizer& tokenizer_;
  PromptSpec spec_;
  GenerationOptions options_;
  StopRule stop_;
  LogitsProcessors processors_;
  Sampler sampler_;

  KvCache cache_;
  std::vector<Part> cached_;  // what the cache's first positions hold
  KvCache beam_cache_;
  torch::Tensor host_logits_;
  int64_t prefilled_tokens_ = 0;
};

}  // namespace moviechat
