// How long a film is, also where its header does not say or is wrong.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "films.h"
#include "moviechat/video/frame_reader.h"

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
  const auto path = testing::films_folder() / "sound.mp4";
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

}  // namespace
}  // namespace moviechat
