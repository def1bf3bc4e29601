// How long a film is, also where its header does not say or is wrong.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "media/films.h"
#include "media/frame_reader.h"

namespace moviechat {
namespace {

using ::testing::ElementsAre;
using testing::sized;

TEST(FilmLength, TheDurationIsMeasuredWhereTheHeaderHasNone) {
  for (const char* kind : {"RawH264", "RawHevc", "NoDurationInTheHeader"}) {
    SCOPED_TRACE(kind);
    FrameReader reader(testing::film(kind), sized(16));
    EXPECT_TRUE(reader.info().duration_measured);
    EXPECT_NEAR(reader.info().duration.count(), 2, 0.09);
  }
  EXPECT_FALSE(FrameReader(testing::film("H264WithBFrames")).info().duration_measured);
}

TEST(FilmLength, AWrongFrameCountInTheHeaderIsSeenThrough) {
  const auto path = testing::films_folder() / "count.avi";
  testing::write_bytes(path, testing::bytes_of(testing::film("FullRangeMjpeg")));
  const std::string much{char(0xa0), char(0x86), 1, 0};  // 100000
  testing::patch(path, "avih", 8 + 16, much);
  testing::patch(path, "strh", 8 + 32, much);
  FrameReader reader(path, sized(16));
  EXPECT_TRUE(reader.info().duration_measured);
  EXPECT_DOUBLE_EQ(reader.info().duration.count(), 2);
  EXPECT_EQ(reader.info().frames, 50);
}

TEST(FilmLength, SoundThatGoesOnAfterThePicturesIsNotPartOfTheFilm) {
  for (const char* name : {"sound.mp4", "sound.mkv"}) {
    SCOPED_TRACE(name);
    const auto path = testing::films_folder() / name;
    testing::ffmpeg(
        "-f lavfi -i testsrc2=size=64x48:rate=25:duration=2 -f lavfi -i sine=duration=9 "
        "-c:v libx264 -c:a aac '" +
        path.string() + "'");
    std::vector<std::string> warnings;
    ReaderOptions options;
    options.warn = [&](const std::string& line) { warnings.push_back(line); };
    FrameReader reader(path, options);
    EXPECT_DOUBLE_EQ(reader.info().duration.count(), 2);
    while (reader.next()) {
    }
    EXPECT_THAT(warnings, ElementsAre());
  }
}

TEST(FilmLength, RecordingsPutOneBehindTheOtherAreAsLongAsTheyAreTogether) {
  for (const char* ending : {".ts", ".mpg"}) {
    const auto part = [&](int seconds) {
      const auto path = testing::films_folder() / ("part" + std::to_string(seconds) + ending);
      testing::ffmpeg(
          "-f lavfi -i testsrc2=size=64x48:rate=25:duration=" + std::to_string(seconds) +
          " -c:v mpeg2video -b:v 200k -g 12 '" + path.string() + "'");
      return testing::bytes_of(path);
    };
    const std::string first = part(5), second = part(2);
    for (const auto& [name, bytes] :
         {std::pair("falling", first + second), std::pair("rising", second + first)}) {
      SCOPED_TRACE(std::string(name) + ending);
      const auto path = testing::films_folder() / (std::string(name) + ending);
      testing::write_bytes(path, bytes);
      FrameReader reader(path, sized(16));
      // Some frames of a program stream have no timestamp, the last ones too.
      EXPECT_NEAR(reader.info().duration.count(), 7, 0.15);
      EXPECT_NEAR(static_cast<double>(reader.info().frames), 175, 4);
      EXPECT_NEAR(reader.shown_at(Seconds(6.5)).time.count(), 6.5, 0.1);
    }
  }
}

TEST(FilmLength, MatroskaCountsFromTimeZeroAndMkvmergeFromTheFirstFrame) {
  const auto make = [](const std::string& name, const std::string& tags) {
    const auto path = testing::films_folder() / name;
    testing::ffmpeg(
        "-f lavfi -i testsrc2=size=64x48:rate=25:duration=6 -c:v mpeg4 -output_ts_offset 40 " +
        tags + " '" + path.string() + "'");
    return path;
  };
  EXPECT_NEAR(FrameReader(make("zero.mkv", "")).info().duration.count(), 6, 0.05);
  const auto merged = make("merged.mkv", "-metadata:s:v _STATISTICS_WRITING_APP=mkvmerge");
  // The segment's duration in milliseconds, as `mkvmerge --split --link` writes it.
  testing::patch(merged, "\x44\x89\x88", 3, std::string("\x40\xb7\x70\0\0\0\0\0", 8));
  FrameReader reader(merged, sized(16));
  EXPECT_NEAR(reader.info().duration.count(), 6, 0.05);
  EXPECT_NEAR(reader.shown_at(Seconds(5.9)).time.count(), 5.88, 0.01);
}

}  // namespace
}  // namespace moviechat
