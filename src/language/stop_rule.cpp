#include "language/stop_rule.h"

#include <algorithm>

namespace moviechat {

bool StopRule::at_stop_sequence(std::span<const int64_t> ids) const {
  return std::any_of(sequences.begin(), sequences.end(), [&](const auto& sequence) {
    return !sequence.empty() && ids.size() >= sequence.size() &&
           std::equal(sequence.begin(), sequence.end(), ids.end() - sequence.size());
  });
}

std::optional<FinishReason> StopRule::ended(std::span<const int64_t> ids) const {
  if (ids.empty()) return std::nullopt;
  if (ids.back() == eos) return FinishReason::eos;
  if (at_stop_sequence(ids)) return FinishReason::stop;
  if (static_cast<int64_t>(ids.size()) >= max_tokens) return FinishReason::length;
  return std::nullopt;
}

}  // namespace moviechat
