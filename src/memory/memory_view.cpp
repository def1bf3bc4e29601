#include "memory/memory_view.h"

#include <ATen/ops/stack.h>

#include <algorithm>

#include "moviechat/error.h"

namespace moviechat {

MemoryView view_of(const MemoryBlocks& memory, int64_t positions) {
  const int64_t short_term = std::ssize(memory.short_term);
  const int64_t long_term = std::ssize(memory.long_term);
  const int64_t total = long_term + short_term + (memory.current ? 1 : 0);
  if (total == 0) throw Error("memory: no frame was added, so there is nothing to ask about");

  MemoryView view;
  view.dropped = std::max<int64_t>(0, total - positions);
  const int64_t short_dropped = std::min(view.dropped, short_term);
  std::vector<torch::Tensor> features;
  const auto append = [&](const std::vector<Block>& blocks, int64_t from) {
    for (size_t i = static_cast<size_t>(from); i < blocks.size(); ++i) {
      features.push_back(blocks[i].features);
      view.spans.push_back(blocks[i].span());
    }
    return std::ssize(blocks) - from;
  };
  view.long_blocks = append(memory.long_term, view.dropped - short_dropped);
  view.short_blocks = append(memory.short_term, short_dropped);
  view.current = memory.current.has_value();
  if (view.current) append({*memory.current}, 0);
  view.blocks = torch::stack(features);  // [T, N, C]
  return view;
}

}  // namespace moviechat
