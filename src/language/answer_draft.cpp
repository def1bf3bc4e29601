#include "language/answer_draft.h"

namespace moviechat {

std::optional<FinishReason> AnswerDraft::extend(std::span<float> logits,
                                                const AnswerCallbacks& callbacks) {
  apply_all(processors_, ids_, logits);
  ids_.push_back(sampler_.choose(logits, random_));
  callbacks.show(stream_.add(ids_.back()));
  const auto ended = stop_.ended(ids_);
  if (ended) callbacks.show(stream_.finish());
  return ended;
}

}  // namespace moviechat
