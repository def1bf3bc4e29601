#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "moviechat/result.h"

namespace moviechat {

/// Generated ids → whether the answer ends here. A value.
struct StopRule {
  int64_t eos = 2;
  std::vector<std::vector<int64_t>> sequences;
  int64_t max_tokens = 300;

  /// The first that holds: EOS, a stop sequence, the limit.
  std::optional<FinishReason> ended(std::span<const int64_t> ids) const;
  /// Whether the last ids are a stop sequence.
  bool at_stop_sequence(std::span<const int64_t> ids) const;
};

}  // namespace moviechat
