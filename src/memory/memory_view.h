#pragma once

#include "bundle/tensor.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "memory/block.h"

namespace moviechat {

/// The blocks that a query is answered from, in time order.
struct MemoryBlocks {
  std::vector<Block> long_term;
  std::vector<Block> short_term;  // not yet consolidated
  std::optional<Block> current;   // the frame on screen at the moment that is asked about
};

/// The same as the memory reader takes them, with their spans. A value of its own.
struct MemoryView {
  torch::Tensor blocks;     // [T, N, C]: long-term, short-term, current
  std::vector<Span> spans;  // of each block
  int64_t long_blocks = 0;
  int64_t short_blocks = 0;
  bool current = false;  // the last block is the frame on screen at the moment
  int64_t dropped = 0;   // blocks left out because there are no positions for them

  int64_t size() const { return static_cast<int64_t>(spans.size()); }
};

/// At most `positions` blocks: the oldest short-term ones are dropped first, then the oldest
/// long-term ones. Error when there is no block at all.
MemoryView view_of(const MemoryBlocks& memory, int64_t positions);

}  // namespace moviechat
