#pragma once

#include "bundle/tensor.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "language/answer_text.h"
#include "language/language_model.h"
#include "language/logits.h"
#include "language/prompt.h"
#include "language/sampler.h"
#include "language/stop_rule.h"
#include "language/tokenizer.h"
#include "language/video_tokens.h"
#include "moviechat/callbacks.h"
#include "moviechat/generation_options.h"

namespace moviechat {

/// What an answer tells while it is being made. All may be left empty.
struct AnswerCallbacks {
  /// The next piece of the answer, in whole characters. `false` cancels: Cancelled is thrown.
  std::function<bool(std::string_view)> on_text;
  /// The model repeated the answer prefix late: pieces so far are not part of the answer.
  std::function<void()> on_restart;
  /// One more of several answers is done.
  std::function<void()> on_answer;
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

/// One question of several that are answered together. Prompt and video outlive the answering.
struct GenerationRequest {
  Prompt prompt;
  const VideoTokens* video = nullptr;
  bool with_attention = false;
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

  /// Several answers, `together` of them decoded side by side: the weights are read once for a
  /// token of each. Where one ends, the next begins. Every step has `together` rows, idle ones too,
  /// and rows do not see each other: an answer does not depend on which others there are. One after
  /// another where `together` is 1, with beams, and with modules that cannot. on_text and
  /// on_restart are not called.
  std::vector<Generation> answer_all(std::span<const GenerationRequest> requests, int64_t together,
                                     const AnswerCallbacks& callbacks = {});

  /// Prompt positions that went through the language model so far.
  int64_t prefilled_tokens() const { return prefilled_tokens_; }
  /// Steps of the language model after prompts so far, of one row or of several.
  int64_t decoding_steps() const { return decoding_steps_; }

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

  /// An answer in the making, without the model.
  struct Draft {
    Random random;  // of each answer anew: none depends on those before
    std::vector<int64_t> ids;
  };

  Layout lay_out(const Prompt& prompt, const VideoTokens& video, const WarningSink& warn) const;
  torch::Tensor prefill(const Layout& layout, const CancelFlag* cancel, Generation& generation);
  int64_t capacity_for(int64_t prompt_tokens) const;
  void make_room(int64_t capacity);
  std::span<float> on_host(const torch::Tensor& logits);
  std::optional<FinishReason> extend(Draft& draft, std::span<float> scores);
  std::vector<int64_t> follow_one(torch::Tensor logits, const AnswerCallbacks& callbacks,
                                  FinishReason& reason);
  std::vector<int64_t> follow_beams(const torch::Tensor& logits, const CancelFlag* cancel,
                                    FinishReason& reason);
  std::vector<Generation> follow_rows(std::span<const GenerationRequest> requests, int64_t together,
                                      const AnswerCallbacks& callbacks);
  void finish(Generation& generation, const GenerationRequest& request, const Layout& layout,
              KvCache& cache) const;
  torch::Tensor video_attention(const Layout& layout, std::span<const int64_t> ids, int64_t queries,
                                KvCache& cache) const;

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
  KvCache row_cache_;  // of answers that are decoded together
  torch::Tensor host_logits_;
  int64_t prefilled_tokens_ = 0;
  int64_t decoding_steps_ = 0;
};

}  // namespace moviechat
