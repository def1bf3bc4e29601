#pragma once

#include "bundle/tensor.h"

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "bundle/device_graph.h"
#include "bundle/script_module.h"

namespace moviechat {

/// Keys and values of the positions that a language model has read, in tensors that are allocated
/// once: [layers, B, kv_heads, capacity, head_dim]. A copy is spelled clone(). One thread at a
/// time.
class KvCache {
 public:
  KvCache() = default;
  KvCache(KvCache&&) = default;
  KvCache& operator=(KvCache&&) = default;

  int64_t length() const { return length_; }
  int64_t capacity() const { return keys_.defined() ? keys_.size(3) : 0; }
  int64_t batch() const { return keys_.defined() ? keys_.size(1) : 0; }

  /// Forgets what is after the first `length` positions. O(1).
  void truncate(int64_t length);
  KvCache clone() const;
  /// Takes over all positions of a cache of batch 1, for every row of this one.
  void copy_from(const KvCache& one);
  /// Row `row` becomes what a cache of batch 1 holds; length() stays, as rows need not be equally
  /// long.
  void set_row(int64_t row, const KvCache& one);
  /// Row `row` as a cache of batch 1 whose first `length` positions are read. It shares this one's
  /// memory.
  KvCache row(int64_t row, int64_t length) const;
  /// Row b becomes what row rows[b] was. Positions before `from` are known to be the same in all.
  void select(const std::vector<int64_t>& rows, int64_t from);

 private:
  friend class LanguageModel;
  torch::Tensor keys_;
  torch::Tensor values_;
  int64_t length_ = 0;
  /// How the rows' next tokens are read on a GPU.
  struct Step {
    torch::Tensor input;  // int64 [2, B]: ids, positions
    torch::Tensor logits;
    std::unique_ptr<DeviceGraph> graph;
    bool recorded = false;  // or tried to
  };
  Step next_;
};

/// Embeddings → logits of the next token, by a bundle's language model. Const after construction;
/// what it has read is in the KvCache that is passed in. The module outlives it. One thread at a
/// time.
///
/// Nothing here waits for a device: whoever reads the logits does.
class LanguageModel {
 public:
  /// How single tokens are read.
  enum class Steps {
    growing,  // the work of a step grows with what was read: for CPUs
    fixed,    // the same kernels on the same shapes at every position: on CUDA as a graph
  };
  /// On CUDA fixed steps, where the module has them.
  explicit LanguageModel(const ScriptModule& module);
  LanguageModel(const ScriptModule& module, Steps steps) : module_(&module), steps_(steps) {}

  /// n ids → [n, H]
  torch::Tensor embed(std::span<const int64_t> ids) const;
  KvCache make_cache(int64_t batch, int64_t capacity) const;

  /// Reads embeddings [B, n, H] after what the cache holds → logits of the last position, float32
  /// [B, rows]. Error when they do not fit.
  torch::Tensor step(const torch::Tensor& embeddings, KvCache& cache) const;

  /// One token a row: B ids after what the cache holds → logits float32 [B, rows], which on a GPU
  /// the cache's next token overwrites. Error when they do not fit.
  torch::Tensor next(std::span<const int64_t> ids, KvCache& cache) const;

  /// As next, row b at positions[b], below the capacity. For rows of different lengths;
  /// cache.length() stays as it is.
  torch::Tensor next_at(std::span<const int64_t> ids, std::span<const int64_t> positions,
                        KvCache& cache) const;
  /// Whether the module has what next_at needs; those of older bundles do not.
  bool reads_rows() const { return module_->has_method("step_at"); }

  /// The same as step, with the attention that the n positions paid to all, mean over layers and
  /// heads: float32 [B, n, length].
  std::pair<torch::Tensor, torch::Tensor> step_attention(const torch::Tensor& embeddings,
                                                         KvCache& cache) const;

  torch::Device device() const { return module_->device(); }

 private:
  void check_room(int64_t positions, const KvCache& cache) const;
  const ScriptModule* module_;
  Steps steps_;
};

}  // namespace moviechat
