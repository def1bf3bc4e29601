#include "memory/keep_all.h"

#include "moviechat/error.h"

namespace moviechat {

void check_fits(int64_t frames, int64_t most_blocks) {
  if (frames <= most_blocks) return;
  const std::string most = std::to_string(most_blocks);
  throw InputError("without consolidation the model takes at most " + most +
                   " frames of a film; lower plan.frames to " + most +
                   " or choose memory.policy window");
}

void KeepAllMemory::added() { check_fits(short_.size(), most_blocks_); }

MemoryBlocks KeepAllMemory::at(const Query& /*query*/) const { return {{}, short_.blocks(), {}}; }

}  // namespace moviechat
