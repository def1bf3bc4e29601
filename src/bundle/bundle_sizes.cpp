#include "bundle/bundle_sizes.h"

#include <ATen/ops/zeros.h>

#include "bundle/bundle.h"
#include "moviechat/error.h"

namespace moviechat {

void check_sizes(const std::string& part, const torch::Tensor& output,
                 std::initializer_list<Dimension> expected) {
  if (output.dim() != std::ssize(expected)) {
    throw InputError(part + ": expected an output of " + std::to_string(expected.size()) +
                     " dimensions, got " + std::to_string(output.dim()) +
                     "; was it exported for another model?");
  }
  int64_t i = 0;
  for (const Dimension& dimension : expected) {
    const int64_t found = output.size(i++);
    if (dimension.size == 0 || found == dimension.size) continue;
    throw InputError("model.yaml: sizes." + std::string(dimension.name) + " is " +
                     std::to_string(dimension.size) + ", but " + part + " has " +
                     std::to_string(found) + "; was it exported for another model?");
  }
}

void Bundle::check_unused_sizes() const {
  const BundleSizes& sizes = spec_.sizes;
  if (frame_encoder_.has_method("see")) {
    const torch::Tensor black = torch::zeros({1, 3, sizes.image, sizes.image}, torch::kByte);
    check_sizes(frame_encoder_.name(), frame_encoder_.call("see", {black.to(device())}),
                {{}, {"patch_tokens", sizes.patches}, {"vit_width", sizes.vit_width}});
  }
  const torch::Tensor blocks = torch::zeros({sizes.positions, sizes.tokens, sizes.width},
                                            torch::TensorOptions().device(device()).dtype(dtype()));
  try {
    memory_reader_.call("forward", {blocks});
  } catch (const OutOfResources&) {
    throw;
  } catch (const Error& error) {
    throw InputError("model.yaml: sizes.positions is " + std::to_string(sizes.positions) +
                     ", which " + memory_reader_.name() + " does not take: " + error.what());
  }
}

}  // namespace moviechat
