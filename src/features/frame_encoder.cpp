#include "moviechat/features/frame_encoder.h"

#include <sstream>

#include "moviechat/support/error.h"

namespace moviechat {

FrameEncoder::FrameEncoder(const Bundle& bundle)
    : module_(bundle.frame_encoder()), sizes_(bundle.spec().sizes) {}

torch::Tensor FrameEncoder::make_batch(int64_t batch) const {
  const auto options =
      torch::TensorOptions().dtype(torch::kByte).pinned_memory(module_.device().is_cuda());
  return torch::empty({batch, sizes_.image, sizes_.image, 3}, options);
}

torch::Tensor FrameEncoder::encode(const torch::Tensor& frames) const {
  const torch::Tensor rgb = frames.to(module_.device(), /*non_blocking=*/true)
                                .permute({0, 3, 1, 2});  // [B, 3, S, S], normalised by the module
  torch::Tensor blocks = module_.call("forward", {rgb});
  if (blocks.dim() != 3 || blocks.size(0) != frames.size(0) || blocks.size(1) != sizes_.tokens ||
      blocks.size(2) != sizes_.width) {
    std::ostringstream message;
    message << module_.name() << ": expected blocks [" << frames.size(0) << ", " << sizes_.tokens
            << ", " << sizes_.width << "], got " << blocks.sizes();
    throw Error(message.str());
  }
  return blocks;
}

}  // namespace moviechat
