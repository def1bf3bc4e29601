#pragma once

#include "bundle/tensor.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "language/answer_callbacks.h"
#include "language/language_model.h"
#include "language/prefix_cache.h"
#include "language/prompt.h"
#include "language/tokenizer.h"
#include "language/video_tokens.h"
#include "moviechat/callbacks.h"
#include "moviechat/options.h"
#include "moviechat/result.h"

namespace moviechat {

/// An answer.
struct Generation {
  std::vector<int64_t> ids;  // with the EOS or stop sequence that ended them
  std::string text;
  FinishReason reason = FinishReason::length;
  int64_t prompt_tokens = 0;  // positions before the answer, the film's among them
  int64_t answer_tokens = 0;
  double prompt_seconds = 0;  // while the prompt was read; a GPU may still be working then
  torch::Tensor attention;    // [Q] float32 on the CPU: of the answer's tokens to the film's
                              // embeddings, mean over tokens, layers and heads; undefined unless
                              // asked for
};

/// One question.
struct GenerationRequest {
  Prompt prompt;
  torch::Tensor video;  // [Q, H]
  GenerationOptions options;
  bool with_attention = false;
  AnswerCallbacks callbacks;
};

/// Prompts → answers, several at a time. An answer is a row: it joins as soon as a row is free and
/// leaves when it has ended, with options, stop rule and callbacks of its own. A step reads the
/// weights once for a token of every row.
///
/// Rows share the keys and values of their film, which stay in the PrefixCache after the answer
/// ends. A prompt is read in pieces that depend on nothing else, between the steps of the rows that
/// are decoding. With several rows, every step runs the full batch, idle rows included, and rows do
/// not see each other: an answer does not depend on which others there are. What fails or cancels
/// one answer ends it alone; a step of the model that fails ends all that took part.
///
/// One thread at a time; model, tokenizer and prefixes outlive it.
class TextDecoder {
 public:
  /// Positions that a piece of a prompt has at most, and that one step reads beside other rows.
  static constexpr int64_t kPiece = 512;
  static constexpr int64_t kPositionsOfStep = 2048;

  /// One row where the module has no shared prefixes (LanguageModel::reads_rows).
  TextDecoder(const LanguageModel& model, const Tokenizer& tokenizer, PromptSpec spec,
              PrefixCache& prefixes, int64_t rows = 1);
  ~TextDecoder();

  /// The answer, once steps have made it; its `get` throws Cancelled, or Error when the model
  /// fails. InputError for options that the context leaves no room for.
  std::future<Generation> join(GenerationRequest request);

  /// Lets rows join, and reads a token of every row. False when there is nothing to do.
  bool step();

  /// Steps until a request is answered.
  Generation answer(GenerationRequest request);

  /// Drops what was not answered, and the memory of rows that share prefixes.
  void reset();

  /// Prompt positions that went through the language model so far.
  int64_t prefilled_tokens() const { return prefilled_tokens_; }
  /// Steps of the language model after prompts so far, of one row or of several.
  int64_t decoding_steps() const { return decoding_steps_; }

 private:
  struct Row;
  struct Beams;
  void let_rows_join();
  void read_prompts();
  int64_t read_piece(Row& row);
  int64_t read_prefix(Prefix& prefix);
  void begin_answer(Row& row, const torch::Tensor& logits);
  void begin_beams(Row& row);
  void decode_alone(Row& row);
  void decode_beams(Row& row);
  void decode_rows();
  void extend(Row& row, std::span<float> logits);
  void extend_beams(Row& row, const torch::Tensor& logits);
  void finish(Row& row, std::vector<int64_t> ids, FinishReason reason);
  torch::Tensor video_attention(Row& row);
  void make_room(const Row& row);
  void store_tail(Row& row, int64_t start, int64_t count);
  void restore_tail(Row& row);
  bool has_several_rows() const { return rows_.size() > 1; }
  std::span<float> on_host(const torch::Tensor& logits);
  /// Does something for a row; what it throws ends that row.
  template <class Work>
  void guarded(std::unique_ptr<Row>& row, const Work& work);

  const LanguageModel& model_;
  const Tokenizer& tokenizer_;
  PromptSpec spec_;
  PrefixCache& prefixes_;

  std::deque<std::unique_ptr<Row>> waiting_;
  std::vector<std::unique_ptr<Row>> rows_;  // nullptr: idle
  KvCache tails_;  // what stands behind the prefixes of rows that share them: a row each
  torch::Tensor host_logits_;
  int64_t prefilled_tokens_ = 0;
  int64_t decoding_steps_ = 0;
};

}  // namespace moviechat
