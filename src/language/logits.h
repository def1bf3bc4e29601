#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "moviechat/options.h"

namespace moviechat {

/// Changes the logits of the next token in place, knowing what was generated. Const.
class LogitsProcessor {
 public:
  virtual ~LogitsProcessor() = default;
  virtual void apply(std::span<const int64_t> generated, std::span<float> logits) const = 0;
};
using LogitsProcessors = std::vector<std::unique_ptr<LogitsProcessor>>;

/// Makes each token that was generated less likely: positive logits are divided by the penalty,
/// negative ones multiplied.
class RepetitionPenalty : public LogitsProcessor {
 public:
  explicit RepetitionPenalty(double penalty) : penalty_(static_cast<float>(penalty)) {}
  void apply(std::span<const int64_t> generated, std::span<float> logits) const override;

 private:
  float penalty_;
};

/// Forbids EOS, and only that, until enough tokens were generated.
class MinNewTokens : public LogitsProcessor {
 public:
  MinNewTokens(int64_t tokens, int64_t eos) : tokens_(tokens), eos_(eos) {}
  void apply(std::span<const int64_t> generated, std::span<float> logits) const override;

 private:
  int64_t tokens_;
  int64_t eos_;
};

/// Those that the options ask for, in the reference's order.
LogitsProcessors make_processors(const GenerationOptions& options, int64_t eos);

void apply_all(const LogitsProcessors& processors, std::span<const int64_t> generated,
               std::span<float> logits);

/// Logits → log-probabilities, in place.
void log_softmax(std::span<float> logits);

}  // namespace moviechat
