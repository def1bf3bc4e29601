#include "memory/block_list.h"

#include <gtest/gtest.h>

#include <torch/types.h>  // torch::tensor of nested lists
#include "support_for_tests/safetensors.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

using testing::largest_difference;

Block block(torch::Tensor features, double frames = 1) {
  return {std::move(features), Seconds(0), Seconds(1), frames};
}

std::vector<int64_t> merged_at(BlockList& list, int64_t keep) {
  std::vector<int64_t> at;
  list.consolidate(keep, Merge::mean, [&](const MergeStep& step) { at.push_back(step.at); });
  return at;
}

class Ties : public ::testing::TestWithParam<Similarity> {};

TEST_P(Ties, TheEarliestPairIsMerged) {
  torch::manual_seed(1);
  const auto still = torch::randn({32, 768});
  BlockList list(GetParam());
  for (int i = 0; i < 16; ++i) list.append(block(still));
  EXPECT_EQ(merged_at(list, 2), std::vector<int64_t>(14, 0));
  EXPECT_TRUE(torch::equal(list.blocks()[0].features, still));
}

INSTANTIATE_TEST_SUITE_P(Kinds, Ties, ::testing::Values(Similarity::cosine, Similarity::dot),
                         [](const auto& test) { return std::string(name_of(test.param)); });

TEST(Consolidate, MergesTheMostSimilarNeighbours) {
  BlockList list(Similarity::cosine);
  list.append(block(torch::tensor({{1.0F, 0.0F}})));
  list.append(block(torch::tensor({{0.0F, 1.0F}})));
  list.append(block(torch::tensor({{0.1F, 1.0F}})));
  EXPECT_EQ(merged_at(list, 2), std::vector<int64_t>{1});
  EXPECT_LT(largest_difference(list.blocks()[1].features, torch::tensor({{0.05F, 1.0F}})), 1e-6);
}

TEST(Consolidate, AWeightedMergeCountsTheFramesOfEachBlock) {
  BlockList list(Similarity::dot);
  list.append(block(torch::tensor({{0.0F}}), 3));
  list.append(block(torch::tensor({{4.0F}}), 1));
  list.consolidate(1, Merge::weighted);
  EXPECT_FLOAT_EQ(list.blocks()[0].features.item<float>(), 1.0F);
  EXPECT_EQ(list.blocks()[0].frames, 4);
}

TEST(Consolidate, HalfPrecisionBlocksAreComparedInFloat32) {
  // 300² overflows half precision; in float32 the first pair is the most similar one.
  BlockList list(Similarity::dot);
  for (const float value : {300.0F, 301.0F, 2.0F}) {
    list.append(block(torch::full({4, 64}, value).to(torch::kHalf)));
  }
  std::vector<MergeStep> steps;
  list.consolidate(2, Merge::mean, [&](const MergeStep& step) { steps.push_back(step); });
  EXPECT_EQ(steps[0].at, 0);
  EXPECT_FLOAT_EQ(steps[0].similarity, 64 * 300.0F * 301.0F);
  EXPECT_EQ(list.blocks()[0].features.scalar_type(), torch::kHalf);
}

TEST(Similarity, AZeroTokenIsLikeNothing) {
  const auto x = torch::tensor({{{1.0F, 0.0F}, {0.0F, 0.0F}}});
  EXPECT_FLOAT_EQ(block_cosine(x, x).item<float>(), 0.5F);
}

TEST(Similarity, DotEqualsTheMeanOverAllPairsOfTokens) {
  torch::manual_seed(2);
  const auto x = torch::randn({3, 5, 7});
  const auto y = torch::randn({3, 5, 7});
  const auto all_pairs = torch::matmul(x, y.transpose(1, 2)).mean({1, 2});
  EXPECT_LT(largest_difference(block_dot(token_means(x), token_means(y)), all_pairs), 1e-5);
}

TEST(Consolidate, NotANumberDoesNotLoopOrCrash) {
  BlockList list(Similarity::cosine);
  for (int i = 0; i < 4; ++i) list.append(block(torch::full({2, 2}, NAN)));
  list.consolidate(2, Merge::mean);
  EXPECT_EQ(list.size(), 2);
}

}  // namespace
}  // namespace moviechat
