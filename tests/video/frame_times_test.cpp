#include "moviechat/video/frame_times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "films.h"

namespace moviechat {
namespace {

class FrameTimes : public ::testing::TestWithParam<const char*> {};

// The frame that the reader shows at the time of index k is the k-th that ffmpeg decodes.
TEST_P(FrameTimes, LeadToThatVeryFrame) {
  const auto path = testing::film(GetParam());
  const testing::Decoded expected = testing::decoded_by_ffmpeg(path, 0, 16);
  FrameReader reader(path);
  std::vector<int64_t> indices(expected.pts.size());
  std::iota(indices.begin(), indices.end(), 0);
  indices.push_back(indices.back() + 1);  // beyond the end
  indices.push_back(-1);
  const auto times = times_of_frames(path, reader.info(), indices, {});
  ASSERT_EQ(times.size(), indices.size());
  for (size_t k = 0; k < expected.pts.size(); ++k) {
    ASSERT_TRUE(times[k]) << k;
    EXPECT_EQ(reader.shown_at(*times[k]).pts, expected.pts[k]) << k;
  }
  EXPECT_FALSE(times[times.size() - 2]);
  EXPECT_FALSE(times.back());
}

// And the k-th that ffmpeg decodes has index k, in whatever order one asks.
TEST_P(FrameTimes, AreLeftByThatVeryIndex) {
  const auto path = testing::film(GetParam());
  std::vector<int64_t> timestamps = testing::decoded_by_ffmpeg(path, 0, 16).pts;
  std::reverse(timestamps.begin(), timestamps.end());
  timestamps.push_back(timestamps.front() + 1);
  const FrameReader reader(path);
  const auto indices = indices_of_frames(path, reader.info(), timestamps, {});
  ASSERT_EQ(indices.size(), timestamps.size());
  EXPECT_FALSE(indices.back());
  const auto frames = static_cast<int64_t>(timestamps.size()) - 1;
  for (int64_t i = 0; i < frames; ++i) EXPECT_EQ(indices[i], frames - 1 - i);
}

INSTANTIATE_TEST_SUITE_P(Films, FrameTimes,
                         ::testing::Values("H264WithBFrames", "H264MillisecondTimestamps",
                                           "NonZeroStartMkv", "NonZeroStartTs", "NegativeStart",
                                           "NegativeStartTs", "Vp8WithHiddenFrames",
                                           "Vp9WithHiddenFrames", "VariableFrameRateMp4",
                                           "VariableFrameRateMkv", "EditListStartsInsideAGop",
                                           "H264OpenGopsTs", "BottomUpRows"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace moviechat
