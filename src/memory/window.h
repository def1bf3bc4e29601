#pragma once

#include "memory/memory_policy.h"

namespace moviechat {

/// The paper's memory: whenever K blocks are in short-term memory, they are merged down to m, which
/// join long-term memory and stay in short-term memory for the next window. At most K and L blocks.
///
/// Spans: a block stands for what was merged into it. Blocks that stay bring their features to the
/// next consolidation, but no time and no frames, which are already those of their copies in
/// long-term memory: a block made of such blocks alone has an empty span.
class WindowMemory : public MemoryPolicy {
 public:
  explicit WindowMemory(const MemoryOptions& options) : MemoryPolicy(options) {}

  void finish() override;

  /// Whole film: long-term memory with an incomplete window consolidated. A moment: long-term
  /// memory and the frames of the window so far.
  MemoryBlocks at(const Query& query) const override;

 private:
  void added() override;
  void end_window();
  int64_t new_blocks() const { return short_.size() - stayed_; }

  int64_t stayed_ = 0;  // short-term blocks that are in long-term memory as well
};

}  // namespace moviechat
