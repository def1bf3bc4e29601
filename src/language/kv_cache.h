#pragma once

#include "bundle/tensor.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "bundle/device_graph.h"

namespace moviechat {

/// A view of keys and values: [layers, rows, kv_heads, n, head_dim] each.
struct KvSlice {
  torch::Tensor keys;
  torch::Tensor values;

  KvSlice row(int64_t row) const;
  /// Takes over the numbers of another slice of n positions; those of one row go to all rows.
  void copy_from(const KvSlice& other) const;
};

/// Keys and values of the positions that a language model has read, in tensors that are allocated
/// once: [layers, rows, kv_heads, capacity, head_dim]. One thread at a time.
class KvCache {
 public:
  KvCache() = default;
  KvCache(KvCache&&) = default;
  KvCache& operator=(KvCache&&) = default;

  /// Positions that were read, the same in all rows. Where rows differ, their owner counts.
  int64_t length() const { return length_; }
  int64_t capacity() const { return keys_.defined() ? keys_.size(3) : 0; }
  int64_t rows() const { return keys_.defined() ? keys_.size(1) : 0; }
  int64_t bytes() const;

  /// Forgets what is after the first `length` positions. O(1).
  void truncate(int64_t length);
  /// What was written into slice(0, length) counts as read.
  void set_length(int64_t length);
  /// Positions start … start+count-1 of all rows. Error when they are not within the capacity.
  KvSlice slice(int64_t start, int64_t count) const;
  /// Row b becomes what row rows[b] was, in the positions from `from` on: those before are known to
  /// be the same in all.
  void select(const std::vector<int64_t>& rows, int64_t from);

 private:
  friend class LanguageModel;
  torch::Tensor keys_;
  torch::Tensor values_;
  int64_t length_ = 0;
  /// How the rows' next tokens are read on a GPU.
  struct Step {
    torch::Tensor input;                // int64 [4, rows]: ids, slots, positions, prefixes
    std::vector<torch::Tensor> prefix;  // that the graph reads
    torch::Tensor logits;
    std::unique_ptr<DeviceGraph> graph;
    bool recorded = false;  // or tried to
  };
  Step next_;
};

}  // namespace moviechat
