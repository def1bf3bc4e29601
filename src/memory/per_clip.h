#pragma once

#include "memory/memory_policy.h"

namespace moviechat {

/// The released code's memory: the blocks of each clip are merged down to m, which join long-term
/// memory, and the next clip begins with none. At most a clip's and L blocks.
/// reference: MovieChat.encode_short_memory_frame and encode_long_video
class PerClipMemory : public MemoryPolicy {
 public:
  explicit PerClipMemory(const MemoryOptions& options) : MemoryPolicy(options) {}

  void end_clip() override;
  void finish() override { end_clip(); }

  /// Long-term memory with the clip so far consolidated; for a moment also the clip's frames as
  /// they were, which thus appear twice.
  MemoryBlocks at(const Query& query) const override;
};

}  // namespace moviechat
