#include "memory/keep_all.h"

#include "moviechat/support/error.h"

namespace moviechat {

void KeepAllMemory::added() {
  if (short_.size() <= most_blocks_) return;
  const std::string most = std::to_string(most_blocks_);
  throw InputError("without consolidation the model takes at most " + most +
                   " frames of a film; lower plan.frames (--plan uniform:" + most +
                   ") or choose memory.policy window");
}

MemoryBlocks KeepAllMemory::at(const Query& /*query*/) const { return {{}, short_.blocks(), {}}; }

}  // namespace moviechat
