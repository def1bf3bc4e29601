#include "perception/frame_encoder.h"

#include <gtest/gtest.h>

#include "support_for_tests/device.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/safetensors.h"

namespace moviechat {
namespace {

Bundle tiny() {
  return {read_bundle_spec(testing::tiny_bundle()), testing::test_device(), torch::kFloat,
          Verify::quick};
}

TEST(FrameEncoder, GivesTheReferencesBlocks) {
  const auto golden = testing::load_safetensors(testing::golden("vision.safetensors"));
  const Bundle bundle = tiny();
  const torch::Tensor frames = golden.at("frames_u8").permute({0, 2, 3, 1}).contiguous();
  const torch::Tensor blocks = FrameEncoder(bundle).encode(frames);
  EXPECT_LT(testing::largest_difference(blocks, golden.at("qformer_out")), 1e-4);
}

TEST(FrameEncoder, ABatchGivesWhatItsFramesGiveAlone) {
  const auto golden = testing::load_safetensors(testing::golden("vision.safetensors"));
  const Bundle bundle = tiny();
  const FrameEncoder encoder(bundle);
  const torch::Tensor frames = golden.at("frames_u8").permute({0, 2, 3, 1}).contiguous();
  const torch::Tensor together = encoder.encode(frames);
  for (int64_t i = 0; i < frames.size(0); ++i) {
    const torch::Tensor alone = encoder.encode(frames.slice(0, i, i + 1));
    EXPECT_LT(testing::largest_difference(alone, together.slice(0, i, i + 1)), 1e-5);
  }
}

}  // namespace
}  // namespace moviechat
