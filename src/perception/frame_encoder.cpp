#include "perception/frame_encoder.h"

#include <ATen/ops/empty.h>

#include <sstream>

#include "moviechat/error.h"

namespace moviechat {

FrameEncoder::FrameEncoder(const Bundle& bundle)
    : module_(bundle.frame_encoder()), sizes_(bundle.spec().sizes) {}

torch::Tensor FrameEncoder::make_batch(int64_t batch) const {
  return make_batch({batch, sizes_.image, sizes_.image, 3}, torch::kByte);
}

torch::Tensor FrameEncoder::make_batch(at::IntArrayRef shape, torch::ScalarType dtype) const {
  return torch::empty(
      shape, torch::TensorOptions().dtype(dtype).pinned_memory(module_.device().is_cuda()));
}

torch::Tensor FrameEncoder::encode(const torch::Tensor& frames) const {
  // The copy is waited for: the next frames are decoded into the same page-locked batch.
  const torch::Tensor rgb =
      frames.to(module_.device()).permute({0, 3, 1, 2});  // [B, 3, S, S], normalised by the module
  return checked(module_.call("forward", {rgb}), frames.size(0));
}

torch::Tensor FrameEncoder::condense(const torch::Tensor& features) const {
  // Not cast to the module's dtype: ln_vision, which comes first, is computed in float32.
  return checked(module_.call("condense", {features.to(module_.device())}), features.size(0));
}

torch::Tensor FrameEncoder::checked(const torch::Tensor& blocks, int64_t count) const {
  if (blocks.dim() != 3 || blocks.size(0) != count || blocks.size(1) != sizes_.tokens ||
      blocks.size(2) != sizes_.width) {
    std::ostringstream message;
    message << module_.name() << ": expected blocks [" << count << ", " << sizes_.tokens << ", "
            << sizes_.width << "], got " << blocks.sizes();
    throw Error(message.str());
  }
  return blocks;
}

}  // namespace moviechat
