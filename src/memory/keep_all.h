#pragma once

#include "memory/memory_policy.h"

namespace moviechat {

/// InputError when so many frames are more than the memory reader takes and none are merged.
void check_fits(int64_t frames, int64_t most_blocks);

/// No memory: every block is kept as it is, as where frames are sampled uniformly and few enough.
/// InputError for a frame more than `most_blocks`.
class KeepAllMemory : public MemoryPolicy {
 public:
  KeepAllMemory(const MemoryOptions& options, int64_t most_blocks)
      : MemoryPolicy(options), most_blocks_(most_blocks) {}

  MemoryBlocks at(const Query& query) const override;

 private:
  void added() override;

  int64_t most_blocks_;
};

}  // namespace moviechat
