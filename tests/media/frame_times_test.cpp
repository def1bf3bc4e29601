#include "media/frame_times.h"

#include <gtest/gtest.h>

#include <vector>

#include "media/films.h"

namespace moviechat {
namespace {

class FrameTimes : public ::testing::TestWithParam<const char*> {};

// The frame that the reader shows at the time of index k is the k-th that ffmpeg decodes.
TEST_P(FrameTimes, LeadToThatVeryFrame) {
  const auto path = testing::film(GetParam());
  const testing::Decoded expected = testing::decoded_by_ffmpeg(path, 0, 16);
  FrameReader reader(path);
  const auto frames = static_cast<int64_t>(expected.pts.size());
  EXPECT_EQ(reader.info().frames, frames);
  for (int64_t k = 0; k < frames; ++k) {
    const auto time = time_of_frame(reader.info(), k);
    ASSERT_TRUE(time) << k;
    EXPECT_EQ(reader.shown_at(*time).pts, expected.pts[static_cast<size_t>(k)]) << k;
  }
  EXPECT_FALSE(time_of_frame(reader.info(), frames));  // beyond the end
  EXPECT_FALSE(time_of_frame(reader.info(), -1));
}

// And the k-th that ffmpeg decodes has index k, in whatever order one asks.
TEST_P(FrameTimes, AreLeftByThatVeryIndex) {
  const auto path = testing::film(GetParam());
  const std::vector<int64_t> timestamps = testing::decoded_by_ffmpeg(path, 0, 16).pts;
  FrameReader reader(path);
  for (size_t i = timestamps.size(); i-- > 0;) {
    const auto time = time_of_frame(reader.info(), static_cast<int64_t>(i));
    ASSERT_TRUE(time) << i;
    const Shown shown = reader.shown_at(*time);
    EXPECT_EQ(shown.index, static_cast<int64_t>(i));
    EXPECT_EQ(shown.pts, timestamps[i]);
  }
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
