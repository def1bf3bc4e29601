#pragma once

#include "bundle/tensor.h"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "bundle/script_module.h"
#include "language/kv_cache.h"

namespace moviechat {

/// Where the rows of a cache stand: each at a slot of its own, behind a prefix that may be shared.
struct RowPlaces {
  std::vector<int64_t> slots;      // of the row's next token, below the cache's capacity
  std::vector<int64_t> prefix_of;  // index into prefixes; -1: none
  std::vector<KvSlice> prefixes;   // of one row each, all of whose positions count
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
  KvCache make_cache(int64_t rows, int64_t capacity) const;

  /// Reads embeddings [B, n, H] after what the cache holds → logits of the last position, float32
  /// [B, V]. Error when they do not fit.
  torch::Tensor step(const torch::Tensor& embeddings, KvCache& cache) const;

  /// One token a row: B ids after what the cache holds → logits float32 [B, V], which on a GPU the
  /// cache's next token overwrites. Error when they do not fit.
  torch::Tensor next(std::span<const int64_t> ids, KvCache& cache) const;

  /// As next, row b at its place: rows of different lengths, behind prefixes that other caches
  /// hold. cache.length() stays as it is.
  torch::Tensor next_rows(std::span<const int64_t> ids, const RowPlaces& places,
                          KvCache& cache) const;
  /// Whether the module has what next_rows needs; those of interface version 1 do not.
  bool reads_rows() const { return module_->has_method("step_rows"); }

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
