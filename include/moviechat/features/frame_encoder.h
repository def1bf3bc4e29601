#pragma once

#include <torch/types.h>

#include "moviechat/model/bundle.h"

namespace moviechat {

/// RGB frames → blocks, on the bundle's device and in its dtype. Const; one thread at a time per
/// bundle.
class FrameEncoder {
 public:
  explicit FrameEncoder(const Bundle& bundle);

  /// frames: uint8 [B, S, S, 3] on the CPU, as the decoder packs them → [B, N, C] on the device.
  torch::Tensor encode(const torch::Tensor& frames) const;

  /// An empty batch to decode into: uint8 [batch, S, S, 3], page-locked when the device is CUDA.
  torch::Tensor make_batch(int64_t batch) const;

 private:
  const ScriptModule& module_;
  BundleSizes sizes_;
};

}  // namespace moviechat
