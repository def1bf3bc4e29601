#pragma once

#include "bundle/tensor.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "memory/block.h"
#include "memory/similarity.h"
#include "moviechat/options.h"

namespace moviechat {

/// One step of consolidation: block `at` of the list as it then was, and the block after it, became
/// one.
struct MergeStep {
  int64_t at = 0;
  float similarity = 0;
};
using MergeStepSink = std::function<void(const MergeStep&)>;

/// Neighbouring blocks in time order, merged pair by pair until few are left. Keeps the
/// similarities of neighbours, so that a merge computes only the two next to it, and blocks that
/// were compared once are not compared again. Copies are cheap: tensors are shared. One thread at a
/// time.
class BlockList {
 public:
  explicit BlockList(Similarity similarity) : similarity_(similarity) {}

  /// O(1); the block is compared with its neighbour only when a merge is needed.
  void append(Block block);
  void clear();

  /// Merges the most similar neighbours (the first of equals) until at most `keep` blocks are left.
  /// One merge costs O(N·C) and one copy of at most two numbers from the blocks' device.
  void consolidate(int64_t keep, Merge merge, const MergeStepSink& record = {});

  int64_t size() const { return static_cast<int64_t>(blocks_.size()); }
  const std::vector<Block>& blocks() const { return blocks_; }
  std::vector<Block>& blocks() { return blocks_; }

 private:
  void compare_unknown();
  int64_t most_similar() const;
  void merge_at(int64_t at, Merge merge);

  Similarity similarity_;
  std::vector<Block> blocks_;
  std::vector<torch::Tensor> means_;                // [C] of each block, where the dot needed it
  std::vector<std::optional<float>> similarities_;  // of block i with block i + 1
};

}  // namespace moviechat
