// Every kind of file against the ffmpeg program's own decoding of it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "media/ffmpeg.h"
#include "media/films.h"
#include "media/frame_reader.h"

namespace moviechat {
namespace {

using Pixels = std::vector<uint8_t>;
using testing::sized;

constexpr int64_t kSize = 56;
constexpr double kMeanDifference = 1;
constexpr int kLargestDifference = 8;

struct Read {
  std::vector<Shown> shown;
  std::vector<Pixels> rgb;
};

Read read_forward(FrameReader& reader) {
  Read read;
  Pixels rgb(reader.frame_bytes());
  while (const auto shown = reader.next(rgb)) {
    read.shown.push_back(*shown);
    read.rgb.push_back(rgb);
  }
  return read;
}

void expect_alike(const Pixels& ours, const Pixels& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  double sum = 0;
  int largest = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    const int difference = std::abs(int{ours[i]} - int{theirs[i]});
    sum += difference;
    largest = std::max(largest, difference);
  }
  EXPECT_LT(sum / static_cast<double>(ours.size()), kMeanDifference);
  EXPECT_LE(largest, kLargestDifference);
}

void frames_are_ffmpegs_own(const testing::FilmKind& kind) {
  const auto path = testing::film(kind);
  const testing::Decoded expected = testing::decoded_by_ffmpeg(path, kind.stream, kSize);
  FrameReader reader(path, sized(kSize));
  const Read read = read_forward(reader);
  ASSERT_EQ(expected.pts.size(), expected.rgb.size());
  ASSERT_EQ(read.shown.size(), expected.rgb.size());
  EXPECT_EQ(reader.stats().seeks, 0);
  EXPECT_EQ(reader.stats().frames_decoded, static_cast<int64_t>(read.shown.size()));
  EXPECT_EQ(read.shown[0].time, Seconds(0));
  for (size_t i = 0; i < read.shown.size(); ++i) {
    SCOPED_TRACE("frame " + std::to_string(i));
    if (kind.name != "TimestampsStartOver" && expected.pts[i] != INT64_MIN) {
      ASSERT_EQ(read.shown[i].pts, expected.pts[i]);
    }
    expect_alike(read.rgb[i], expected.rgb[i]);
    if (i + 1 < read.shown.size()) {
      EXPECT_EQ(read.shown[i].end, read.shown[i + 1].time);
      EXPECT_LE(read.shown[i].time, read.shown[i].end);
    } else {
      EXPECT_LT(read.shown[i].time, read.shown[i].end);
    }
    if (::testing::Test::HasFailure()) break;
  }
}

void jumps_give_the_very_frames_of_forward_reading(const testing::FilmKind& kind) {
  const auto path = testing::film(kind);
  FrameReader forward(path, sized(kSize));
  const Read read = read_forward(forward);
  FrameReader reader(path, sized(kSize));
  std::mt19937 random(7);
  Pixels rgb(reader.frame_bytes());
  const double end = read.shown.back().end.count();
  std::uniform_real_distribution<double> anywhere(-0.1 * end, 1.1 * end);
  for (int i = 0; i < 25; ++i) {
    const Seconds time(i == 0 ? 0 : anywhere(random));
    // The last frame whose time has come.
    size_t index = 0;
    while (index + 1 < read.shown.size() && read.shown[index + 1].time <= time) ++index;
    SCOPED_TRACE("at " + std::to_string(time.count()));
    ASSERT_EQ(reader.shown_at(time, rgb), read.shown[index]);
    ASSERT_EQ(rgb, read.rgb[index]);
  }
}

void duration_and_rate_describe_the_frames(const testing::FilmKind& kind) {
  FrameReader reader(testing::film(kind), sized(kSize));
  const VideoInfo info = reader.info();
  const Read read = read_forward(reader);
  EXPECT_EQ(info.frames, static_cast<int64_t>(read.shown.size()));
  if (kind.duration) {
    EXPECT_NEAR(info.duration.count(), read.shown.back().end.count(), 2.1 / info.fps.value());
  }
  EXPECT_EQ(reader.damage(), "");
}

class FilmMatrix : public ::testing::TestWithParam<testing::FilmKind> {};

// One test a kind, since each makes its file.
TEST_P(FilmMatrix, IsReadAsFfmpegReadsItForwardAndByJumps) {
  const bool none = LIBAVUTIL_VERSION_MAJOR >= 59 && GetParam().name == "YCgCoMatrix";
  if (none) GTEST_SKIP() << "the ffmpeg program of FFmpeg 7 does not convert YCgCo";
  frames_are_ffmpegs_own(GetParam());
  jumps_give_the_very_frames_of_forward_reading(GetParam());
  duration_and_rate_describe_the_frames(GetParam());
}

INSTANTIATE_TEST_SUITE_P(, FilmMatrix, ::testing::ValuesIn(testing::film_kinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace moviechat
