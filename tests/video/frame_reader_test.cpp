#include "moviechat/video/frame_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "moviechat/support/files.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/safetensors.h"

namespace moviechat {
namespace {

using Pixels = std::vector<uint8_t>;

ReaderOptions sized(int64_t size) {
  ReaderOptions options;
  options.size = size;
  return options;
}

Pixels all_frames(const std::filesystem::path& path, int64_t size) {
  FrameReader reader(path, sized(size));
  Pixels all;
  Pixels rgb(reader.frame_bytes());
  while (reader.next(rgb)) all.insert(all.end(), rgb.begin(), rgb.end());
  return all;
}

std::string text(const Pixels& pixels) { return {pixels.begin(), pixels.end()}; }

TEST(FrameReader, AllFramesOfTheRecordedClipAreTheReferencesBitForBit) {
  const auto golden = testing::golden_json("golden.json").at("cases").at("end_to_end");
  EXPECT_EQ(sha256(text(all_frames(testing::golden("clip.avi"), 56))), golden.at("rgb_sha256"));
}

TEST(FrameReader, ResizingIsTheReferencesBitForBit) {
  const auto tensors = testing::load_safetensors(testing::golden("e2e.safetensors"));
  for (const auto& [name, size] : {std::pair{"resize/decord", 56}, std::pair{"resize/native", 0}}) {
    SCOPED_TRACE(name);
    const torch::Tensor expected = tensors.at(name).contiguous();  // [12, S, S, 3]
    const auto* bytes = expected.data_ptr<uint8_t>();
    EXPECT_EQ(all_frames(testing::golden("resize.avi"), size),
              Pixels(bytes, bytes + expected.numel()));
  }
}

}  // namespace
}  // namespace moviechat
