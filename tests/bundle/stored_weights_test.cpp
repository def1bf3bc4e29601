#include <gtest/gtest.h>

#include <sstream>

#include "bundle/bundle.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/safetensors.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

namespace fs = std::filesystem;
using testing::largest_difference;

fs::path mini() { return testing::source_dir() / "models" / "mini"; }

Bundle load(const fs::path& folder, Weights weights, torch::ScalarType dtype = torch::kFloat) {
  return Bundle(read_bundle_spec(folder), torch::kCPU, dtype, Verify::quick, weights);
}

/// Logits [n, rows] of n tokens, all at once.
torch::Tensor logits_of(const Bundle& bundle, int64_t n) {
  const ScriptModule& module = bundle.language_model();
  const auto ids = torch::arange(n).remainder(bundle.spec().sizes.vocabulary);
  const auto embeddings = module.call("embed", {ids}).unsqueeze(0);
  return module.call("score", {embeddings, torch::ones({1, n}, torch::kBool)})[0];
}

TEST(StoredWeights, Fp16MatricesTakeHalfTheMemoryAndGiveTheSameNumbers) {
  const Bundle converted = load(mini(), Weights::compute);
  const Bundle stored = load(mini(), Weights::stored);
  for (const auto& [wide, narrow] :
       {std::pair{&converted.frame_encoder(), &stored.frame_encoder()},
        std::pair{&converted.memory_reader(), &stored.memory_reader()},
        std::pair{&converted.language_model(), &stored.language_model()}}) {
    EXPECT_EQ(wide->parameters(), narrow->parameters());
    EXPECT_EQ(wide->bytes(), 4 * wide->parameters());
    EXPECT_LT(narrow->bytes(), 2.2 * narrow->parameters()) << narrow->name();
    EXPECT_EQ(narrow->dtype(), torch::kFloat);
    EXPECT_FALSE(narrow->rounds());
  }
  for (const int64_t n : {1, 7, 200}) {
    EXPECT_LT(largest_difference(logits_of(stored, n), logits_of(converted, n)), 1e-3) << n;
  }
  const auto rgb = torch::randint(0, 256, {2, 3, 56, 56}, torch::kByte);
  EXPECT_LT(largest_difference(stored.frame_encoder().call("forward", {rgb}),
                               converted.frame_encoder().call("forward", {rgb})),
            1e-4);
}

TEST(StoredWeights, SmallBundlesAreConvertedUnlessAskedOtherwise) {
  EXPECT_EQ(load(mini(), Weights::automatic).language_model().bytes(),
            load(mini(), Weights::compute).language_model().bytes());
}

TEST(StoredWeights, AnyDtypeComputesOverWhatIsStored) {
  const torch::Tensor exact = logits_of(load(mini(), Weights::compute), 7);
  const Bundle bundle = load(mini(), Weights::stored, torch::kBFloat16);
  EXPECT_EQ(bundle.language_model().call("embed", {torch::arange(3)}).scalar_type(),
            torch::kBFloat16);
  EXPECT_LT(largest_difference(logits_of(bundle, 7), exact),
            0.05 * exact.abs().max().item<float>());
}

/// The tiny checkpoints as a bundle of other weights than the committed one's.
void convert_tiny(const std::string& flags, const fs::path& out) {
  const fs::path data = testing::source_dir() / "tests/data/golden";
  std::ostringstream command;  // quotes the paths
  command << testing::source_dir() / "scripts/convert"
          << " moviechat"
          << " --vision " << data / "eva_vit_g.pth"
          << " --qformer " << data / "blip2_pretrained_flant5xxl.pth"
          << " --video-llama " << data / "finetune-vicuna7b-v2.pth"
          << " --llm " << data / "vicuna"
          << " --sizes " << data / "golden.json"
          << " " << flags << " --out " << out;
  const auto converted = testing::run(command.str());
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
}

TEST(StoredWeights, AsBf16TheyTakeAsMuchAsFp16AndOnlyProductsAreRounded) {
  const testing::TemporaryFolder folder;
  ASSERT_NO_FATAL_FAILURE(convert_tiny("--dtype fp16", folder / "fp16"));
  const Bundle exact = load(folder / "fp16", Weights::compute);
  const Bundle stored = load(folder / "fp16", Weights::stored);
  const Bundle rounded = load(folder / "fp16", Weights::bf16);
  EXPECT_EQ(rounded.language_model().bytes(), stored.language_model().bytes());
  EXPECT_EQ(rounded.dtype(), torch::kFloat);
  EXPECT_TRUE(rounded.language_model().rounds());
  const auto ids = torch::arange(9);
  EXPECT_TRUE(torch::equal(rounded.language_model().call("embed", {ids}),
                           exact.language_model().call("embed", {ids})));
  for (const int64_t n : {1, 7, 200}) {
    const auto cosine = torch::cosine_similarity(logits_of(rounded, n), logits_of(exact, n), -1);
    EXPECT_GT(cosine.min().item<float>(), 0.999) << n;
  }
  const auto rgb = torch::randint(0, 256, {2, 3, 56, 56}, torch::kByte);
  const auto blocks = exact.frame_encoder().call("forward", {rgb});
  EXPECT_LT(largest_difference(rounded.frame_encoder().call("forward", {rgb}), blocks),
            0.05 * blocks.abs().max().item<float>());
}

/// The tiny checkpoints converted with --llm-weights int8.
class Int8Bundle : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    convert_tiny("--dtype fp32 --llm-weights int8", bundle());
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static fs::path bundle() { return *folder_ / "int8"; }

 private:
  static inline std::unique_ptr<testing::TemporaryFolder> folder_;
};

TEST_F(Int8Bundle, LayersStayInt8WhateverIsComputedIn) {
  const torch::Tensor exact = logits_of(load(testing::tiny_bundle(), Weights::compute), 7);
  const int64_t wide = load(testing::tiny_bundle(), Weights::compute).language_model().bytes();
  for (const Weights weights : {Weights::automatic, Weights::stored, Weights::compute}) {
    const Bundle int8 = load(bundle(), weights);
    EXPECT_EQ(int8.spec().llm_weights, "int8");
    EXPECT_LT(int8.language_model().bytes(), wide - 2 * 3 * (4 * 64 * 64 + 3 * 64 * 96) * 9 / 10);
    EXPECT_TRUE(int8.language_model().rounds());
    EXPECT_FALSE(int8.frame_encoder().rounds());
    for (const int64_t n : {7, 200}) {
      const auto wanted = logits_of(load(testing::tiny_bundle(), Weights::compute), n);
      const auto cosine = torch::cosine_similarity(logits_of(int8, n), wanted, -1);
      EXPECT_GT(cosine.min().item<float>(), 0.998) << n;  // of 64 channels only
    }
  }
  const Bundle half = load(bundle(), Weights::automatic, torch::kHalf);
  const auto cosine = torch::cosine_similarity(logits_of(half, 7), exact, -1);
  EXPECT_GT(cosine.min().item<float>(), 0.999);
}

}  // namespace
}  // namespace moviechat
