#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "language/answer_callbacks.h"
#include "language/answer_text.h"
#include "language/logits.h"
#include "language/sampler.h"
#include "language/stop_rule.h"
#include "language/tokenizer.h"
#include "moviechat/bundle_spec.h"
#include "moviechat/options.h"

namespace moviechat {

/// Logits, step by step → an answer in the making: its ids, and the text that can be shown. Knows
/// no model. Random numbers are of each answer anew: none depends on those before.
class AnswerDraft {
 public:
  AnswerDraft(const GenerationOptions& options, const PromptSpec& spec, const Tokenizer& tokenizer)
      : stop_{spec.eos, spec.stop, options.max_new_tokens},
        processors_(make_processors(options, spec.eos)),
        sampler_(options),
        random_(options.seed),
        stream_(spec, tokenizer) {}

  /// Logits of the next token, which are used up: it is chosen, added and shown. Why the answer
  /// ends with it, if it does. Cancelled when a callback says so.
  std::optional<FinishReason> extend(std::span<float> logits, const AnswerCallbacks& callbacks);

  const std::vector<int64_t>& ids() const { return ids_; }

 private:
  StopRule stop_;
  LogitsProcessors processors_;
  Sampler sampler_;
  Random random_;
  TextStream stream_;
  std::vector<int64_t> ids_;
};

}  // namespace moviechat
