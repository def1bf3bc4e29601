// The tiny bundle's memory reader, run from C++, against recorded runs of the authors' code.
#include "language/video_tokens.h"

#include <gtest/gtest.h>

#include "support_for_tests/device.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/safetensors.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

using testing::golden;
using testing::largest_difference;
using testing::load_safetensors;

constexpr double kTolerance = 1e-4;

class VideoTokensTest : public ::testing::Test {
 protected:
  VideoTokensTest()
      : reader_(ScriptModule::load(testing::tiny_bundle() / "memory_reader.pt",
                                   testing::test_device(), torch::kFloat)),
        goldens_(load_safetensors(golden("video_qformer.safetensors"), testing::test_device())) {}

  Block block(const torch::Tensor& features) const { return {features, {}, {}, 1}; }

  ScriptModule reader_;
  std::map<std::string, torch::Tensor> goldens_;
};

TEST_F(VideoTokensTest, GlobalMemoryIsReadAsByTheReference) {
  for (const int64_t count : {1, 5, 37, 256}) {
    MemoryView view;
    view.blocks = goldens_.at("blocks").slice(0, 0, count);
    const VideoTokens video = read_memory(reader_, view, false);
    EXPECT_LT(largest_difference(video.embeddings.unsqueeze(0),
                                 goldens_.at("global/T" + std::to_string(count))),
              kTolerance)
        << count;
    EXPECT_FALSE(video.attention.defined());
  }
}

TEST_F(VideoTokensTest, MemoryAtAMomentIsReadAsByTheReference) {
  struct Case {
    std::string name;
    int64_t long_blocks;
    int64_t short_blocks;
  };
  for (const Case& c : {Case{"breakpoint/L18_S5", 18, 5}, Case{"breakpoint/L7_S0", 7, 0},
                        Case{"breakpoint/L252_S8", 252, 8}, Case{"breakpoint/L256_S8", 256, 8},
                        Case{"breakpoint/L255_S0", 255, 0}, Case{"breakpoint/L256_S0", 256, 0},
                        Case{"paper_breakpoint/S3", 0, 3}}) {
    const auto blocks = [&](int64_t from, int64_t count) {
      std::vector<Block> found;
      for (int64_t i = from; i < from + count; ++i) {
        found.push_back(block(goldens_.at("blocks")[i]));
      }
      return found;
    };
    const MemoryView view =
        view_of({blocks(0, c.long_blocks), blocks(c.long_blocks, c.short_blocks),
                 block(goldens_.at("current")[0])},
                256);
    const VideoTokens video = read_memory(reader_, view, false);
    EXPECT_LT(largest_difference(video.embeddings.unsqueeze(0), goldens_.at(c.name)), kTolerance)
        << c.name;
  }
}

TEST_F(VideoTokensTest, AttentionComesWithTheSameEmbeddings) {
  MemoryView view;
  view.blocks = goldens_.at("blocks").slice(0, 0, 37);
  view.spans.resize(37);
  const VideoTokens plain = read_memory(reader_, view, false);
  const VideoTokens video = read_memory(reader_, view, true);
  EXPECT_LT(largest_difference(video.embeddings, plain.embeddings), kTolerance);
  EXPECT_EQ(video.attention.sizes(), (std::vector<int64_t>{plain.embeddings.size(0), 37}));
  EXPECT_LT(largest_difference(video.attention.sum(-1), torch::ones(plain.embeddings.size(0))),
            1e-5);
  EXPECT_EQ(video.spans.size(), 37U);
}

}  // namespace
}  // namespace moviechat
