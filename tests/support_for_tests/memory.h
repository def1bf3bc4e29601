#pragma once

#include "memory/memory_policy.h"

namespace moviechat::testing {

inline constexpr int64_t kPositions = 256;

inline void add(MemoryPolicy& memory, const Block& frame) {
  memory.add({frame.start, frame.end}, {frame.features, {}});
}

inline MemoryView whole_film(const MemoryPolicy& memory, int64_t positions = kPositions) {
  return view_of(memory.at({}), positions);
}

inline MemoryView at_moment(const MemoryPolicy& memory, const Block& current,
                            int64_t positions = kPositions) {
  MemoryBlocks blocks = memory.at({current.start, ""});
  blocks.current = current;
  return view_of(blocks, positions);
}

}  // namespace moviechat::testing
