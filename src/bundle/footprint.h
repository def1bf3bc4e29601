#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bundle/bundle.h"

namespace moviechat {

/// Bytes that a bundle needs on its device.
struct Footprint {
  std::vector<std::pair<std::string, int64_t>> weights;      // part → as they lie there now
  int64_t kv_cache = 0;                                      // at full context
  std::vector<std::pair<std::string, int64_t>> activations;  // part → the most at a time

  int64_t all_weights() const;
  /// Of the part that needs most: parts run one after the other.
  int64_t most_activations() const;
  int64_t total() const { return all_weights() + kv_cache + most_activations(); }
};

/// The footprint of a bundle when `batch` frames are encoded together, all positions of the memory
/// reader are filled, and a prompt fills the context; `beams` above 1 have caches of their own.
/// Weights are counted and the cache is computed; activations are what the allocator gives out for
/// small inputs of two sizes, extrapolated.
Footprint measure_footprint(const Bundle& bundle, int64_t batch, int64_t beams);

}  // namespace moviechat
