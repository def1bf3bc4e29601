#include "language/logits.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moviechat {

void RepetitionPenalty::apply(std::span<const int64_t> generated, std::span<float> logits) const {
  for (size_t i = 0; i < generated.size(); ++i) {
    const auto before = generated.first(i);
    if (std::find(before.begin(), before.end(), generated[i]) != before.end()) continue;  // once
    float& logit = logits[generated[i]];
    logit = logit < 0 ? logit * penalty_ : logit / penalty_;
  }
}

void MinNewTokens::apply(std::span<const int64_t> generated, std::span<float> logits) const {
  if (static_cast<int64_t>(generated.size()) < tokens_) {
    logits[eos_] = -std::numeric_limits<float>::infinity();
  }
}

LogitsProcessors make_processors(const GenerationOptions& options, int64_t eos) {
  LogitsProcessors processors;
  if (options.repetition_penalty != 1) {
    processors.push_back(std::make_unique<RepetitionPenalty>(options.repetition_penalty));
  }
  if (options.min_new_tokens > 0) {
    processors.push_back(std::make_unique<MinNewTokens>(options.min_new_tokens, eos));
  }
  return processors;
}

void apply_all(const LogitsProcessors& processors, std::span<const int64_t> generated,
               std::span<float> logits) {
  for (const auto& processor : processors) processor->apply(generated, logits);
}

void log_softmax(std::span<float> logits) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit - largest));
  const double log_total = static_cast<double>(largest) + std::log(total);
  for (float& logit : logits) logit = static_cast<float>(logit - log_total);
}

}  // namespace moviechat
