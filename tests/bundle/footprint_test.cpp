#include "bundle/footprint.h"

#include <gtest/gtest.h>

#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

Bundle tiny(torch::ScalarType dtype) {
  return {read_bundle_spec(testing::tiny_bundle()), torch::kCPU, dtype, Verify::quick};
}

TEST(Footprint, CountsWeightsAndTheCacheByDtype) {
  const Bundle bundle = tiny(torch::kFloat);
  const Footprint single = measure_footprint(bundle, 16, 1);
  // tiny: 2 layers of 4 heads of 16, context 2000; keys and values of 4 bytes.
  EXPECT_EQ(single.kv_cache, 2 * 2 * 4 * 16 * 2000 * 4);
  EXPECT_EQ(measure_footprint(bundle, 16, 3).kv_cache, 4 * single.kv_cache);
  ASSERT_EQ(single.weights.size(), 3U);
  EXPECT_EQ(single.weights[2].first, "language_model.pt");
  EXPECT_GE(single.weights[2].second, 4 * bundle.language_model().parameters());

  const Footprint half = measure_footprint(tiny(torch::kBFloat16), 16, 1);
  EXPECT_EQ(2 * half.kv_cache, single.kv_cache);
  EXPECT_EQ(2 * half.all_weights(), single.all_weights());
  EXPECT_EQ(single.total(), single.all_weights() + single.kv_cache + single.most_activations());
}

TEST(Footprint, ActivationsGrowWithTheBatchAndHoldAtLeastTheOutputs) {
  const Bundle bundle = tiny(torch::kFloat);
  const auto of_batch = [&](int64_t batch) {
    return measure_footprint(bundle, batch, 1).activations.front().second;
  };
  const int64_t one = of_batch(1);
  const int64_t many = of_batch(64);
  EXPECT_GT(one, 0);
  EXPECT_LE(many, 64 * one);
  const BundleSizes& sizes = bundle.spec().sizes;
  // The ViT's hidden state and its widened one in the MLP are there at once.
  EXPECT_GE(many, 64 * sizes.patches * sizes.vit_width * (1 + 4) * 4);
}

}  // namespace
}  // namespace moviechat
