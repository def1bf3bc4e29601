#include "media/mp4_tables.h"

#include <gtest/gtest.h>

#include "media/film_io.h"
#include "media/films.h"
#include "media/frame_reader.h"

namespace moviechat {
namespace {

bool nothing_changes(const std::filesystem::path& path) {
  const FilmIo io(FilmSource::open(path.string(), {}));
  return edits_change_nothing(*io.context());
}

/// A copy of a plain film with four bytes overwritten, `offset` after the edit list's name.
std::filesystem::path with_edit(const std::string& name, int64_t offset, const std::string& bytes,
                                const std::string& kind = "H264WithBFrames") {
  const auto path = testing::films_folder() / (name + ".mp4");
  testing::write_bytes(path, testing::bytes_of(testing::film(kind)));
  testing::patch(path, "elst", offset, bytes);
  return path;
}

int64_t frames_shown(const std::filesystem::path& path) {
  FrameReader reader(path);
  int64_t frames = 0;
  while (reader.next()) ++frames;
  return frames;
}

TEST(Mp4Edits, AFilmShownFromItsFirstFrameToItsLastIsNotEdited) {
  for (const char* kind : {"H264WithBFrames", "H264OpenGopsMp4", "NegativeCompositionOffsets"}) {
    EXPECT_TRUE(nothing_changes(testing::film(kind))) << kind;
  }
  // FFmpeg 7 writes an edit of 17.96 s, which leaves the last frame out; this one has 20 s.
  using namespace std::string_literals;
  EXPECT_TRUE(nothing_changes(with_edit("long", 12, "\0\0\x4e\x20"s, "VariableFrameRateMp4")));
}

TEST(Mp4Edits, TrimmedDelayedAndFragmentedFilmsAreLeftToFfmpeg) {
  for (const char* kind :
       {"EditListStartsInsideAGop", "EditListDelaysTheVideo", "H264FragmentedMp4"}) {
    EXPECT_FALSE(nothing_changes(testing::film(kind))) << kind;
  }
  EXPECT_FALSE(nothing_changes(testing::film("H264OpenGops")));  // no MP4 at all
}

// elst: version and flags, number of edits, then of each its length, start and rate.
TEST(Mp4Edits, AnEditOfAnotherEndStartRateOrNumberIsLeftToFfmpeg) {
  using namespace std::string_literals;
  const auto plain = testing::film("H264WithBFrames");
  const auto shorter = with_edit("shorter", 12, "\0\0\3\xe8"s);  // 1000 ms
  EXPECT_FALSE(nothing_changes(shorter));
  EXPECT_EQ(frames_shown(shorter),
            static_cast<int64_t>(testing::decoded_by_ffmpeg(shorter, 0, 16).pts.size()));
  EXPECT_LT(frames_shown(shorter), frames_shown(plain));
  EXPECT_FALSE(nothing_changes(with_edit("later", 16, "\0\0\x10\0"s)));
  EXPECT_FALSE(nothing_changes(with_edit("slower", 20, "\0\0\x80\0"s)));
  EXPECT_FALSE(nothing_changes(with_edit("pause", 16, "\xff\xff\xff\xff"s)));
  EXPECT_FALSE(nothing_changes(with_edit("two", 8, "\0\0\0\2"s)));
}

TEST(Mp4Edits, ATableOfMoreFramesThanAnyFilmHasIsLeftToFfmpegBeforeAllAreCounted) {
  using namespace std::string_literals;
  const auto path = with_edit("endless", 16, "\0\0\0\0"s);
  testing::patch(path, "ctts", 0, "none");
  EXPECT_TRUE(nothing_changes(path));
  testing::patch(path, "stts", 12, "\xff\xff\xff\xff\0\0\0\0"s);  // 4 billion, all at time 0
  EXPECT_FALSE(nothing_changes(path));
}

}  // namespace
}  // namespace moviechat
