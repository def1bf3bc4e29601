#include "media/film_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "media/film_scan.h"
#include "media/films.h"

namespace moviechat {
namespace {

TEST(FilmIndex, FindsWhatAPlainListFinds) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int64_t> step(0, 5);
  std::vector<int64_t> list{-40};
  for (int i = 0; i < 1000; ++i) list.push_back(list.back() + step(random));
  list.push_back(list.back() + (int64_t{1} << 40));  // a pause longer than a step can say
  list.push_back(list.back() + 2);
  FilmIndex index(0.5);
  for (const int64_t pts : list) index.add(pts);
  index.end_at(list.back() + 3);
  ASSERT_EQ(index.frames(), static_cast<int64_t>(list.size()));
  for (size_t i = 0; i < list.size(); ++i) {
    EXPECT_EQ(index.pts(static_cast<int64_t>(i)), list[i]);
    const auto after = std::upper_bound(list.begin(), list.end(), list[i]);
    EXPECT_EQ(index.frame_at(list[i]), after - list.begin() - 1) << i;
  }
  EXPECT_EQ(index.frame_at(-1000), 0);
  EXPECT_EQ(index.frame_at(Seconds(1e300)), index.frames() - 1);
  EXPECT_EQ(index.time(0), Seconds(0));
  EXPECT_EQ(index.end(index.frames() - 1), index.duration());
  EXPECT_EQ(index.duration(), Seconds(0.5 * static_cast<double>(list.back() + 3 + 40)));
}

std::vector<int64_t> timestamps(const FilmIndex& index) {
  std::vector<int64_t> all;
  for (int64_t i = 0; i < index.frames(); ++i) all.push_back(index.pts(i));
  return all;
}

class ScannedFilm : public ::testing::TestWithParam<const char*> {};

// One pass over the packets lists the very frames that ffmpeg shows.
TEST_P(ScannedFilm, HasTheFramesThatFfmpegShows) {
  const auto path = testing::film(GetParam());
  const std::vector<int64_t> expected = testing::decoded_by_ffmpeg(path, 0, 16).pts;
  Demuxer pass(FilmSource::open(path.string(), {}));
  const FilmScan scan = scan_film(pass, 25);
  ASSERT_NE(scan.index, nullptr);
  scan.index->begin_at(expected.front());
  EXPECT_EQ(timestamps(*scan.index), expected);
  EXPECT_FALSE(scan.starts_over);
}

INSTANTIATE_TEST_SUITE_P(, ScannedFilm,
                         ::testing::Values("H264WithBFrames", "H264MillisecondTimestamps",
                                           "NonZeroStartMkv", "NonZeroStartTs", "NegativeStart",
                                           "NegativeStartTs", "Vp8WithHiddenFrames",
                                           "Vp9WithHiddenFrames", "VariableFrameRateMp4",
                                           "VariableFrameRateMkv", "EditListStartsInsideAGop",
                                           "H264OpenGopsTs", "H264FragmentedMp4",
                                           "NonZeroStartMp4"),
                         [](const auto& info) { return std::string(info.param); });

// Sample tables list the same, without reading the film.
TEST(SampleTables, ProveTheFramesThatFfmpegShows) {
  for (const char* kind : {"H264WithBFrames", "H264OpenGopsMp4", "Hevc"}) {
    SCOPED_TRACE(kind);
    const auto path = testing::film(kind);
    const std::vector<int64_t> expected = testing::decoded_by_ffmpeg(path, 0, 16).pts;
    Demuxer film(FilmSource::open(path.string(), {}));
    const auto index = film.proven_index();
    ASSERT_NE(index, nullptr);
    EXPECT_EQ(timestamps(*index), expected);
  }
  for (const char* kind : {"H264FragmentedMp4", "EditListStartsInsideAGop", "H264WithBFrames"}) {
    const auto path = testing::film(kind);
    Demuxer film(FilmSource::open(path.string(), {}));
    EXPECT_EQ(film.proven_index() != nullptr, std::string(kind) == "H264WithBFrames") << kind;
  }
}

}  // namespace
}  // namespace moviechat
