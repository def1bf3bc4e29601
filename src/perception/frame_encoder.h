#pragma once

#include "bundle/tensor.h"

#include "bundle/bundle.h"

namespace moviechat {

/// RGB frames → blocks, on the bundle's device and in its dtype. Const; one thread at a time per
/// bundle.
class FrameEncoder {
 public:
  explicit FrameEncoder(const Bundle& bundle);

  /// frames: uint8 [B, S, S, 3] on the CPU, as the decoder packs them → [B, N, C] on the device.
  torch::Tensor encode(const torch::Tensor& frames) const;

  /// What the module's ViT gives, of any dtype, [B, P, D] on the CPU → [B, N, C] on the device.
  torch::Tensor condense(const torch::Tensor& features) const;

  /// An empty batch to decode into: uint8 [batch, S, S, 3], page-locked when the device is CUDA.
  torch::Tensor make_batch(int64_t batch) const;
  /// The same of any shape and dtype.
  torch::Tensor make_batch(at::IntArrayRef shape, torch::ScalarType dtype) const;

 private:
  torch::Tensor checked(const torch::Tensor& blocks, int64_t count) const;

  const ScriptModule& module_;
  BundleSizes sizes_;
};

}  // namespace moviechat
