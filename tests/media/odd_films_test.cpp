// Films whose headers, clocks or packets are not what they seem: what is right comes from how they
// were made.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "media/film_index.h"
#include "media/film_source.h"
#include "media/films.h"
#include "media/frame_reader.h"
#include "moviechat/sampling_plan.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kTenSeconds =
    "-f lavfi -i testsrc2=size=64x48:rate=25:duration=10 -c:v libx264 -preset veryfast -g 50 ";

/// Every frame's pixels, and what was said.
struct Pictures {
  std::vector<std::vector<uint8_t>> rgb;
  std::vector<Shown> shown;
  std::string damage;
  VideoInfo info;
};

Pictures pictures_of(const std::filesystem::path& path, int64_t threads = 0, int64_t size = 0) {
  ReaderOptions options;
  options.size = size;
  options.threads = threads;
  FrameReader reader(path, options);
  Pictures pictures;
  std::vector<uint8_t> rgb(reader.frame_bytes());
  while (const auto shown = reader.next(rgb)) {
    pictures.shown.push_back(*shown);
    pictures.rgb.push_back(rgb);
  }
  pictures.damage = reader.damage();
  pictures.info = reader.info();
  return pictures;
}

class OddFilm : public ::testing::Test {
 protected:
  std::filesystem::path made(const std::string& name, const std::string& arguments) {
    testing::ffmpeg(arguments + " '" + (folder_ / name).string() + "'");
    return folder_ / name;
  }
  std::string recording(const std::string& name, int64_t clock) {
    if (!std::filesystem::exists(folder_ / "base.mp4")) made("base.mp4", kTenSeconds);
    return testing::bytes_of(made(name, "-i '" + (folder_ / "base.mp4").string() +
                                            "' -c copy -output_ts_offset " + std::to_string(clock) +
                                            " -f mpegts"));
  }
  std::filesystem::path file(const std::string& name, const std::string& bytes) {
    testing::write_bytes(folder_ / name, bytes);
    return folder_ / name;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(OddFilm, ConcealsErrorsInTheSameWayWithAnyNumberOfThreads) {
  const auto whole =
      made("whole.mp4",
           "-f lavfi -i testsrc2=size=320x240:rate=25:duration=8 -c:v libx264 -g 50 -bf 2 "
           "-refs 4 -movflags +faststart");
  std::string bytes = testing::bytes_of(whole);
  std::mt19937 random(3);
  std::uniform_int_distribution<size_t> step(1, 6000);
  // The first two groups of pictures stay as they are.
  const Pictures intact = pictures_of(whole);
  for (size_t at = bytes.size() / 2; at < bytes.size(); at += step(random)) {
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
  }
  const auto scratched = file("scratched.mp4", bytes);
  const Pictures alone = pictures_of(scratched, 1);
  EXPECT_THAT(alone.damage, HasSubstr("frames were decoded with errors"));
  EXPECT_NE(alone.rgb, intact.rgb);
  for (size_t i = 0; i < 50; ++i) ASSERT_EQ(alone.rgb[i], intact.rgb[i]) << i;
  for (const int64_t threads : {2, 2, 3, 4, 8, 16}) {
    SCOPED_TRACE(threads);
    const Pictures together = pictures_of(scratched, threads);
    EXPECT_EQ(together.shown, alone.shown);
    EXPECT_TRUE(together.rgb == alone.rgb);
    EXPECT_EQ(together.damage, alone.damage);
  }
}

// The ffmpeg program, which mends such clocks, makes 20 s of both.
TEST_F(OddFilm, OfRecordingsJoinedBothAreSeenWhateverTheirClocks) {
  const std::string early = recording("early.ts", 0);
  const std::string late = recording("late.ts", 7200);
  const Pictures one = pictures_of(folder_ / "early.ts");
  ASSERT_EQ(one.rgb.size(), 250u);
  for (const auto& [name, bytes] :
       {std::pair("back.ts", late + early), std::pair("ahead.ts", early + late)}) {
    SCOPED_TRACE(name);
    const Pictures both = pictures_of(file(name, bytes));
    EXPECT_NEAR(both.info.duration.count(), 20, 0.05);
    EXPECT_EQ(both.info.frames, 500);
    EXPECT_EQ(both.damage, "");
    ASSERT_EQ(both.rgb.size(), 500u);
    for (size_t i = 0; i < 500; ++i) {
      ASSERT_TRUE(both.rgb[i] == one.rgb[i % 250]) << i;
      EXPECT_NEAR(both.shown[i].time.count(), static_cast<double>(i) / 25, 0.05);
    }
    ASSERT_NE(both.info.index, nullptr);
    EXPECT_THAT(both.info.index->joins(), ElementsAre(250));
  }
}

TEST_F(OddFilm, AGapOfAnotherFormatIsAPauseAndNoDamage) {
  const auto path = made("pause.mkv", std::string(kTenSeconds) +
                                          "-vf \"setpts='PTS+if(gte(N,100),60/TB,0)'\" -bf 0 "
                                          "-fps_mode passthrough -enc_time_base 1:1000");
  const Pictures film = pictures_of(path, 0, 16);
  EXPECT_NEAR(film.info.duration.count(), 70, 0.05);
  EXPECT_EQ(film.info.frames, 250);
  EXPECT_EQ(film.damage, "");
  const auto gaps = film.info.index->gaps();
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].frame, 99);
  EXPECT_NEAR(gaps[0].time.count(), 4, 0.01);
  EXPECT_NEAR(gaps[0].length.count(), 60, 0.01);
  EXPECT_FALSE(gaps[0].damaged);
}

TEST_F(OddFilm, FramesThatATransportStreamLostAreCounted) {
  std::string bytes = recording("film.ts", 0);
  const Pictures whole = pictures_of(folder_ / "film.ts", 0, 16);
  // Packets 188 bytes long from a third of the file on, a twentieth of it.
  const size_t begin = bytes.size() / 3 / 188 * 188;
  bytes.erase(begin, bytes.size() / 20 / 188 * 188);
  const auto path = file("hole.ts", bytes);
  const Pictures hole = pictures_of(path, 0, 16);
  const int64_t lost = whole.info.frames - hole.info.frames;
  ASSERT_GT(lost, 5);
  EXPECT_EQ(hole.info.fps, (Rational{25, 1}));
  EXPECT_THAT(hole.damage, HasSubstr(std::to_string(lost) + " frames are missing"));
  ReaderOptions strict;
  strict.strict = true;
  EXPECT_THROW(FrameReader(path, strict), InputError);
}

// Their demuxers find their way again and say nothing of it.
TEST_F(OddFilm, FramesThatOtherFormatsLostAreCountedToo) {
  for (const auto& [name, codec] : {std::pair("film.mkv", "-c:v libx264 -g 50"),
                                    std::pair("film.flv", "-c:v libx264 -g 50 -bf 0"),
                                    std::pair("film.webm", "-c:v libvpx-vp9 -b:v 300k -g 50")}) {
    SCOPED_TRACE(name);
    const auto whole =
        made(name, "-f lavfi -i testsrc2=size=96x64:rate=25:duration=20 " + std::string(codec));
    EXPECT_EQ(pictures_of(whole, 0, 16).damage, "");
    std::string bytes = testing::bytes_of(whole);
    std::mt19937 random(1);
    for (size_t i = bytes.size() / 3, end = i + bytes.size() / 15; i < end; ++i) {
      bytes[i] = static_cast<char>(random());
    }
    const Pictures noisy = pictures_of(file(std::string("noisy-") + name, bytes), 0, 16);
    const int64_t lost = 500 - noisy.info.frames;
    ASSERT_GT(lost, 5);
    EXPECT_THAT(noisy.damage, HasSubstr(std::to_string(lost) + " frames are missing"));
  }
}

TEST_F(OddFilm, TimesOfAMillisecondClockTellTheRateThatTheHeaderDoesNot) {
  // As live encoders write it: a stream of 1000 frames a second, of which every 33rd is there.
  const auto path = made("clock.mkv",
                         "-f lavfi -i testsrc2=size=64x48:rate=1000:duration=10 -vf "
                         "\"select='not(mod(n\\,40))'\" -fps_mode vfr -r 1000 -c:v libx264 -bf 0");
  const VideoInfo info = FrameReader(path).info();
  EXPECT_EQ(info.frames, 250);
  EXPECT_EQ(info.fps, (Rational{25, 1}));
  EXPECT_NEAR(info.duration.count(), 10, 0.05);
}

TEST_F(OddFilm, ATruncatedEndIsSeenWhereNoHeaderTells) {
  const auto refused = [](const std::filesystem::path& path) {
    ReaderOptions options;
    options.strict = true;
    try {
      FrameReader reader(path, options);
      while (reader.next()) {
      }
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto gif = made("whole.gif", "-f lavfi -i testsrc2=size=64x48:rate=5:duration=4");
  const auto ts = folder_ / "whole.ts";
  recording("whole.ts", 0);
  const auto mp4 = made("front.mp4", std::string(kTenSeconds) + "-movflags +faststart");
  for (const auto& path : {gif, ts, mp4}) {
    SCOPED_TRACE(path.filename().string());
    EXPECT_EQ(refused(path), "");
    const std::string bytes = testing::bytes_of(path);
    const auto half = file("half" + path.extension().string(),
                           bytes.substr(0, bytes.size() / 2 / 188 * 188 + 101));
    EXPECT_THAT(refused(half), HasSubstr("it ends"));
  }
}

TEST_F(OddFilm, PicturesOfMorePixelsThanASettingAllowsAreRefusedBeforeTheyAreDecoded) {
  const auto path =
      made("large.mp4", "-f lavfi -i color=red:size=640x480:rate=5 -frames:v 2 -c:v libx264");
  ReaderOptions options;
  options.max_pixels = 640 * 480;
  EXPECT_EQ(FrameReader(path, options).info().width, 640);
  options.max_pixels -= 1;
  try {
    FrameReader reader(path, options);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("640x480 pixels, more than video.max_pixels"));
  }
}

TEST_F(OddFilm, TablesThatClaimMoreThanTheFileHoldsAreRefused) {
  const auto whole = made("whole.mp4", kTenSeconds);
  for (const auto& [table, at] :
       {std::pair("stts", 8), std::pair("stsz", 12), std::pair("stco", 8)}) {
    SCOPED_TRACE(table);
    const auto path = file("absurd.mp4", testing::bytes_of(whole));
    testing::patch(path, table, 4 + at - 4, std::string("\x7f\xff\xff\xff", 4));
    try {
      FrameReader reader(path);
      ADD_FAILURE() << "was read";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("its tables are damaged"));
    }
  }
}

// Frame i of the plan is the ⌊k·F/N⌋-th that is shown, and never the same one twice.
TEST_F(OddFilm, UniformCountsShownFramesWhereTheRateChanges) {
  const auto path = made("changing.mkv",
                         "-f lavfi -i testsrc2=size=64x48:rate=25:duration=4 -vf "
                         "\"setpts='if(lt(N,50),N/25,2+(N-50)*3)/TB'\" -fps_mode vfr -c:v libx264");
  FrameReader reader(path);
  ASSERT_EQ(reader.info().frames, 100);
  PlanOptions options;
  options.kind = PlanKind::uniform;
  options.frames = 10;
  std::vector<int64_t> frames;
  for (const Clip& clip : make_plan(options, reader.info().timing(), 1).clips) {
    for (const Sample& sample : clip.samples) {
      EXPECT_EQ(reader.shown_at(sample.time).index, sample.frame);
      frames.push_back(sample.frame);
    }
  }
  EXPECT_THAT(frames, ElementsAre(0, 10, 20, 30, 40, 50, 60, 70, 80, 90));
  options.by = PlanBy::time;
  frames.clear();
  for (const Clip& clip : make_plan(options, reader.info().timing(), 1).clips) {
    for (const Sample& sample : clip.samples) frames.push_back(sample.frame);
  }
  EXPECT_THAT(frames, ElementsAre(0, 54, 59, 64, 69, 74, 79, 84, 89, 94));
}

// Of an MP4 file the tables are read, of Matroska all of it once and its head twice.
// FFmpeg 7 shows 69 frames of it, whose first 31 the edit list leaves out; version 5's decoder of
// AV1 returns all 100.
TEST_F(OddFilm, WhatAnEditListLeavesOutIsNotShownWhateverTheDecoder) {
  const auto whole =
      made("whole.mp4",
           "-f lavfi -i testsrc2=size=64x48:rate=25:duration=4 -c:v libaom-av1 -cpu-used 8 -g 50");
  const auto cut = made("cut.mp4", "-ss 1.24 -i '" + whole.string() + "' -c copy");
  const Pictures all = pictures_of(whole);
  const Pictures rest = pictures_of(cut);
  ASSERT_EQ(all.rgb.size(), 100u);
  EXPECT_EQ(rest.info.frames, 69);
  EXPECT_TRUE(std::equal(rest.rgb.begin(), rest.rgb.end(), all.rgb.begin() + 31, all.rgb.end()));
  EXPECT_EQ(rest.shown.back().index, 68);
  EXPECT_EQ(rest.damage, "");
}

// AVI stores frames of a constant rate; one that is dropped is an empty chunk, which shows the
// frame before it for longer.
TEST_F(OddFilm, DecodingTimesStandInWhereThereAreNoOthers) {
  const auto path = made("dropped.avi",
                         "-f lavfi -i testsrc2=size=64x48:rate=25:duration=2 -vf "
                         "\"select='not(eq(n,10))'\" -fps_mode passthrough -c:v libx264 -bf 0");
  const Pictures film = pictures_of(path, 0, 16);
  ASSERT_EQ(film.info.frames, 49);
  ASSERT_NE(film.info.index, nullptr);
  EXPECT_NEAR(film.info.duration.count(), 2, 1e-6);
  for (const Shown& shown : film.shown) {
    EXPECT_NEAR(shown.time.count(), static_cast<double>(shown.index + (shown.index >= 10)) / 25,
                1e-6);
  }
}

TEST_F(OddFilm, OpeningCostsOnePassAtMostAndNoneWhereTablesProveTheFrames) {
  const auto matroska = made("large.mkv",
                             "-f lavfi -i testsrc2=size=640x480:rate=25:duration=12 -c:v mpeg4 "
                             "-b:v 20M -minrate 20M -maxrate 20M -bufsize 2M");
  const auto mp4 = made("large.mp4", "-i '" + matroska.string() + "' -c copy");
  const auto bytes_to_open = [](const std::filesystem::path& path) {
    ReaderOptions options;
    options.source = FilmSource::open(path.string(), options);
    const FrameReader reader(path, options);
    EXPECT_EQ(reader.info().frames, 300);
    return static_cast<double>(options.source->bytes_read());
  };
  const auto size = static_cast<double>(std::filesystem::file_size(matroska));
  ASSERT_GT(size, 20e6);
  EXPECT_LT(bytes_to_open(matroska), 1.1 * size);
  EXPECT_LT(bytes_to_open(mp4), 0.1 * size);
}

}  // namespace
}  // namespace moviechat
