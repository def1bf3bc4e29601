#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "moviechat/support/fields.h"

namespace moviechat {

/// Why an answer ended.
enum class FinishReason {
  stop,    // its last tokens are a stop sequence
  eos,     // the model ended it
  length,  // as many tokens as allowed
};

template <>
struct EnumNames<FinishReason> {
  static constexpr std::array values{std::pair{std::string_view("stop"), FinishReason::stop},
                                     std::pair{std::string_view("eos"), FinishReason::eos},
                                     std::pair{std::string_view("length"), FinishReason::length}};
};

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
