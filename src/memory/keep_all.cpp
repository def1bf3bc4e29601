#include "memory/keep_all.h"

#include "base/message.h"

namespace moviechat {

void check_fits(int64_t frames, int64_t most_blocks) {
  if (frames <= most_blocks) return;
  const std::string most = std::to_string(most_blocks);
  throw input_error(
      "without consolidation the model takes at most {} frames of a film; lower "
      "plan.frames to {} or choose memory.policy window",
      most, most);
}

void KeepAllMemory::added() { check_fits(short_.size(), most_blocks_); }

MemoryBlocks KeepAllMemory::at(const Query& /*query*/) const { return {{}, short_.blocks(), {}}; }

}  // namespace moviechat
