// Truncated and damaged files: what can be decoded is used, and what was lost is said.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "media/films.h"
#include "media/frame_reader.h"
#include "media/frame_times.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

struct Outcome {
  std::vector<Shown> shown;
  std::vector<std::string> warnings;
  ReadStats stats;
  VideoInfo info;
};

Outcome read_all(const std::filesystem::path& path, bool strict = false) {
  Outcome outcome;
  ReaderOptions options;
  options.size = 16;
  options.strict = strict;
  options.warn = [&](const std::string& line) { outcome.warnings.push_back(line); };
  FrameReader reader(path, options);
  std::vector<uint8_t> rgb(reader.frame_bytes());
  while (const auto shown = reader.next(rgb)) outcome.shown.push_back(*shown);
  outcome.stats = reader.stats();
  outcome.info = reader.info();
  return outcome;
}

class Damage : public ::testing::Test {
 protected:
  std::filesystem::path cut(const std::filesystem::path& film, double share) {
    const std::string bytes = testing::bytes_of(film);
    const auto path = folder_ / film.filename();
    testing::write_bytes(
        path, bytes.substr(0, static_cast<size_t>(share * static_cast<double>(bytes.size()))));
    return path;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Damage, ATruncatedFileIsReadAsFarAsItGoesWithOneWarning) {
  const auto whole = folder_ / "whole.mp4";
  testing::ffmpeg(
      "-f lavfi -i testsrc2=size=160x120:rate=25:duration=6 -c:v libx264 -preset veryfast -g 12 "
      "-movflags faststart '" +
      whole.string() + "'");
  testing::ffmpeg("-i '" + whole.string() + "' -c copy '" + (folder_ / "whole.mkv").string() + "'");
  for (const char* name : {"sound.mkv", "sound.flv"}) {
    testing::ffmpeg("-i '" + whole.string() + "' -f lavfi -i sine=duration=6 -c:v copy -c:a aac '" +
                    (folder_ / name).string() + "'");
  }
  for (const char* name : {"whole.mp4", "whole.mkv", "sound.mkv", "sound.flv"}) {
    SCOPED_TRACE(name);
    const std::string bytes = testing::bytes_of(folder_ / name);
    const auto half = folder_ / (std::string("half-") + name);
    testing::write_bytes(half, bytes.substr(0, bytes.size() / 2));
    const Outcome outcome = read_all(half);
    EXPECT_GT(outcome.shown.size(), 50u);
    EXPECT_LT(outcome.shown.size(), 100u);
    const bool has_tables = std::string(name) == "whole.mp4";  // of all samples, there or not
    EXPECT_NEAR(outcome.info.duration.count(), has_tables ? 6 : outcome.shown.back().end.count(),
                0.1);
    EXPECT_NEAR(outcome.info.promised.value_or(Seconds(0)).count(), 6, 0.1);
    ASSERT_EQ(outcome.warnings.size(), 1u);
    EXPECT_THAT(
        outcome.warnings[0],
        MatchesRegex(".*is damaged: .*it ends at [2-3]\\.[0-9] s of 6\\.[01] s; the rest is "
                     "used"));
    EXPECT_THROW(read_all(half, /*strict=*/true), InputError);

    // After the truncated end the last frame stays.
    ReaderOptions options;
    FrameReader reader(half, options);
    EXPECT_EQ(reader.shown_at(Seconds(5.5)), outcome.shown.back());
    EXPECT_EQ(reader.shown_at(Seconds(1)), outcome.shown[25]);
    EXPECT_EQ(reader.shown_at(Seconds(100)), outcome.shown.back());
  }
}

TEST_F(Damage, AWholeFileGivesNoWarningAndPassesStrict) {
  for (const char* kind : {"H264WithBFrames", "H264OpenGops", "EditListStartsInsideAGop", "Gif",
                           "StartsWithoutAKeyFrameH264", "StartsWithoutAKeyFrameMpeg2",
                           "InterlacedH264", "Mpeg4PackedInAvi", "HevcOpenGops"}) {
    SCOPED_TRACE(kind);
    EXPECT_THAT(read_all(testing::film(kind), /*strict=*/true).warnings, IsEmpty());
  }
}

TEST_F(Damage, SoundThatGoesOnAfterThePicturesIsNone) {
  for (const char* name : {"film.flv", "film.mkv", "film.mp4"}) {
    SCOPED_TRACE(name);
    testing::ffmpeg(
        "-f lavfi -i testsrc2=size=64x48:rate=25:duration=2 -f lavfi -i sine=duration=6 "
        "-c:v libx264 -c:a aac '" +
        (folder_ / name).string() + "'");
    EXPECT_THAT(read_all(folder_ / name, /*strict=*/true).warnings, IsEmpty());
  }
}

TEST_F(Damage, AFrameWhoseTimestampLeapsIsShownInItsTurn) {
  const auto path = folder_ / "film.ts";
  testing::ffmpeg("-f lavfi -i testsrc2=size=64x48:rate=25:duration=6 -c:v mpeg2video -g 12 '" +
                  path.string() + "'");
  const Outcome whole = read_all(path);
  const std::string bytes = testing::bytes_of(path);
  const std::string packet("\0\0\1\xe0", 4);  // ISO 13818-1, 2.4.3.6: the timestamp is 9 bytes on
  size_t at = 0;
  for (int i = 0; i <= 50; ++i) at = bytes.find(packet, at + 1);
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[at + 9 + i]); };
  int64_t pts = (int64_t{byte(0)} >> 1 & 7) << 30 | int64_t{byte(1)} << 22 |
                int64_t{byte(2)} >> 1 << 15 | int64_t{byte(3)} << 7 | int64_t{byte(4)} >> 1;
  pts += 20 * 90000;
  std::string later;
  for (const int64_t value : {(byte(0) & 0xf0) | pts >> 30 << 1 | 1, pts >> 22,
                              (pts >> 15 & 0x7f) << 1 | 1, pts >> 7, (pts & 0x7f) << 1 | 1}) {
    later += static_cast<char>(value);
  }
  testing::write_bytes(path, std::string(bytes).replace(at + 9, later.size(), later));
  const Outcome outcome = read_all(path);
  ASSERT_EQ(outcome.shown.size(), whole.shown.size());
  for (size_t i = 0; i < whole.shown.size(); ++i) {
    EXPECT_NEAR(outcome.shown[i].time.count(), whole.shown[i].time.count(), 1e-3) << i;
  }
}

TEST_F(Damage, AnEmptySampleRepeatsTheFrameBeforeIt) {
  const auto path = folder_ / "film.mov";
  testing::write_bytes(path, testing::bytes_of(testing::film("AlphaPng")));
  const auto size_of = [&](int64_t sample) {
    const std::string bytes = testing::bytes_of(path);
    const auto at = bytes.find("stsz") + 16 + 4 * static_cast<size_t>(sample);
    int64_t size = 0;
    for (const char c : bytes.substr(at, 4)) size = size << 8 | static_cast<unsigned char>(c);
    return size;
  };
  const auto set_size = [&](int64_t sample, int64_t size) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
    testing::patch(path, "stsz", 16 + 4 * sample, bytes);
  };
  set_size(9, size_of(9) + size_of(10));  // PNG ends before what comes after it
  set_size(10, 0);
  const Outcome outcome = read_all(path, /*strict=*/true);
  EXPECT_THAT(outcome.warnings, IsEmpty());
  ASSERT_EQ(outcome.shown.size(), 24u);
  EXPECT_EQ(outcome.stats.packets_lost, 0);
  EXPECT_EQ(outcome.shown[9].end, outcome.shown[10].time);
  EXPECT_NEAR((outcome.shown[9].end - outcome.shown[9].time).count(), 2 / 25.0, 1e-9);
  EXPECT_EQ(time_of_frame(outcome.info, 9), outcome.shown[9].time);
  EXPECT_EQ(time_of_frame(outcome.info, 10), outcome.shown[10].time);
}

TEST_F(Damage, PacketsThatCannotBeDecodedAreCountedAndStrictRefusesThem) {
  std::string bytes = testing::bytes_of(testing::film("AlphaPng"));  // every packet for itself
  for (const int broken : {9, 4, 3}) {
    size_t at = 0;
    for (int i = 0; i <= broken; ++i) at = bytes.find("\x89PNG", at + 1);
    bytes.replace(at, 60, 60, '\0');
  }
  const auto path = folder_ / "film.mov";
  testing::write_bytes(path, bytes);
  const Outcome outcome = read_all(path);
  EXPECT_EQ(outcome.shown.size(), 22u);
  EXPECT_EQ(outcome.stats.packets_lost, 3);
  EXPECT_THAT(outcome.warnings,
              ElementsAre("'" + path.string() +
                          "' is damaged: 3 of 25 packets could not be decoded; the rest is used"));
  // What is lost leaves the frame before it on screen.
  EXPECT_EQ(outcome.shown[2].end, outcome.shown[3].time);
  EXPECT_EQ(outcome.shown[3].index, 5);
  try {
    read_all(path, /*strict=*/true);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("packets could not be decoded; without strict"));
  }
}

TEST_F(Damage, ErrorsInsideFramesAreCounted) {
  const auto path = folder_ / "film.ts";
  std::string bytes = testing::bytes_of(testing::film("Mpeg2Transport"));
  for (size_t at = 188 * 100 + 60; at < 188 * 110; at += 188) bytes.replace(at, 60, 60, '\x55');
  testing::write_bytes(path, bytes);
  const Outcome outcome = read_all(path);
  EXPECT_GT(outcome.shown.size(), 40u);
  ASSERT_EQ(outcome.warnings.size(), 1u);
  EXPECT_THAT(outcome.warnings[0], HasSubstr("is damaged: "));
  EXPECT_THROW(read_all(path, /*strict=*/true), InputError);
}

TEST_F(Damage, LossIsSaidOnceEvenIfTheEndIsNotRead) {
  std::string bytes = testing::bytes_of(testing::film("AlphaPng"));
  bytes.replace(bytes.find("\x89PNG", bytes.find("\x89PNG") + 1), 60, 60, '\0');
  testing::write_bytes(folder_ / "film.mov", bytes);
  std::vector<std::string> warnings;
  ReaderOptions options;
  options.warn = [&](const std::string& line) { warnings.push_back(line); };
  FrameReader reader(folder_ / "film.mov", options);
  for (int i = 0; i < 5; ++i) reader.next();
  EXPECT_THAT(warnings, IsEmpty());
  reader.finish();
  reader.finish();
  EXPECT_EQ(warnings.size(), 1u);
}

TEST_F(Damage, NoDamageCrashesHangsOrPrints) {
  std::mt19937 random(20);
  int readable = 0;
  for (const char* kind :
       {"H264OpenGops", "H264WithBFrames", "Mpeg2Transport", "Gif", "Vp9WithHiddenFrames",
        "HevcOpenGops", "Mpeg4PackedInAvi", "ProRes", "Theora", "Wmv"}) {
    const std::string whole = testing::bytes_of(testing::film(kind));
    for (int round = 0; round < 5; ++round) {
      SCOPED_TRACE(std::string(kind) + " " + std::to_string(round));
      std::string bytes = whole;
      // Half of the rounds hit the headers, too.
      const size_t begin = round % 2 == 0 ? 0 : std::min<size_t>(bytes.size() / 2, 4000);
      std::uniform_int_distribution<size_t> place(begin, bytes.size() - 1);
      for (int i = 0; i < 4 << round; ++i) bytes[place(random)] = static_cast<char>(random());
      const auto path = folder_ / "film";
      testing::write_bytes(path, bytes);
      try {
        ReaderOptions options;
        options.size = 16;
        FrameReader reader(path, options);
        std::vector<uint8_t> rgb(reader.frame_bytes());
        Seconds last(-1);
        int frames = 0;
        while (const auto shown = reader.next(rgb)) {
          EXPECT_GE(shown->time, last);
          last = shown->time;
          ASSERT_LT(++frames, 1000);
        }
        for (const double share : {0.9, 0.1, 0.5}) reader.shown_at(last * share, rgb);
        ++readable;
      } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      }
    }
  }
  EXPECT_GT(readable, 25);  // of 50
}

}  // namespace
}  // namespace moviechat
