#include "media/frame_reader.h"
#include "moviechat/sampling_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>
#include <thread>
#include <vector>

#include "base/files.h"
#include "media/films.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/safetensors.h"

namespace moviechat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Pixels = std::vector<uint8_t>;
using testing::sized;

Pixels all_frames(const std::filesystem::path& path, const ReaderOptions& options) {
  FrameReader reader(path, options);
  Pixels all;
  Pixels rgb(reader.frame_bytes());
  while (reader.next(rgb)) all.insert(all.end(), rgb.begin(), rgb.end());
  return all;
}

std::string text(const Pixels& pixels) { return {pixels.begin(), pixels.end()}; }

/// Five minutes with a key frame every second: 7500 tiny frames.
const std::filesystem::path& long_film(const std::string& extension) {
  static std::map<std::string, std::filesystem::path> made;
  auto& path = made[extension];
  if (path.empty()) {
    const auto part = testing::films_folder() / "part.mp4";
    if (!std::filesystem::exists(part)) {
      testing::ffmpeg(
          "-f lavfi -i testsrc2=size=64x48:rate=25:duration=60 -c:v libx264 -preset veryfast "
          "-bf 2 -g 25 '" +
          part.string() + "'");
    }
    path = testing::films_folder() / ("long." + extension);
    testing::ffmpeg("-stream_loop 4 -i '" + part.string() + "' -c copy '" + path.string() + "'");
  }
  return path;
}

// ---- pixels

TEST(FrameReader, AllFramesOfTheRecordedClipAreTheReferencesBitForBit) {
  const auto golden = testing::golden_json("golden.json").at("cases").at("end_to_end");
  EXPECT_EQ(sha256(text(all_frames(testing::golden("clip.avi"), sized(56)))),
            golden.at("rgb_sha256").get<std::string>());
}

// ffmpeg -i models/mini/sample.mp4 -fps_mode passthrough -vf
// scale=64:64:flags=bilinear,format=rgb24
//   -f rawvideo - | sha256sum      by FFmpeg 5.1.
TEST(FrameReader, TheBundledClipHasTheSamePixelsWithEveryFfmpeg) {
  const auto clip = testing::source_dir() / "models" / "mini" / "sample.mp4";
  EXPECT_EQ(sha256(text(all_frames(clip, sized(64)))),
            "a8c3e45493bb88b499ae73b9a361a87c22ad53430711450b03f4fb7a35e88e72");
}

TEST(FrameReader, ResizingIsTheReferencesBitForBit) {
  const auto tensors = testing::load_safetensors(testing::golden("e2e.safetensors"));
  for (const auto& [name, size] : {std::pair{"resize/decord", 56}, std::pair{"resize/native", 0}}) {
    SCOPED_TRACE(name);
    const torch::Tensor expected = tensors.at(name).contiguous();  // [12, S, S, 3]
    const auto* bytes = expected.data_ptr<uint8_t>();
    EXPECT_EQ(all_frames(testing::golden("resize.avi"), sized(size)),
              Pixels(bytes, bytes + expected.numel()));
  }
}

TEST(FrameReader, NativeSizeEqualsFfmpegsOwnFrames) {
  const auto path = testing::film("OddSizeH264");
  const testing::Decoded expected = testing::decoded_by_ffmpeg(path, 0, 0);
  FrameReader reader(path, sized(0));
  EXPECT_EQ(reader.width(), 157);
  EXPECT_EQ(reader.height(), 101);
  Pixels rgb(reader.frame_bytes());
  for (const Pixels& frame : expected.rgb) {
    ASSERT_TRUE(reader.next(rgb));
    ASSERT_EQ(rgb, frame);
  }
  EXPECT_FALSE(reader.next(rgb));
}

TEST(FrameReader, HdrIsConvertedWithOneWarning) {
  std::vector<std::string> warnings;
  ReaderOptions options;
  options.warn = [&](const std::string& line) { warnings.push_back(line); };
  FrameReader reader(testing::film("Hdr"), options);
  while (reader.next()) {
  }
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], HasSubstr("is HDR video (smpte2084)"));
}

TEST(FrameReader, TheFilterIsTheOneAskedFor) {
  ReaderOptions bicubic = sized(56);
  bicubic.filter = ResizeFilter::bicubic;
  const auto path = testing::golden("resize.avi");
  EXPECT_NE(all_frames(path, sized(56)), all_frames(path, bicubic));
}

// ---- time

TEST(FrameReader, AFrameIsOnScreenFromItsTimestampToTheNext) {
  FrameReader reader(testing::golden("clip.avi"), sized(16));  // 30 frames a second
  EXPECT_EQ(reader.shown_at(Seconds(0)).index, 0);
  EXPECT_EQ(reader.shown_at(Seconds(0.0332)).index, 0);
  EXPECT_EQ(reader.shown_at(Seconds(1.0 / 30)).index, 1);
  EXPECT_EQ(reader.shown_at(Seconds(0.0334)).index, 1);
  const Shown shown = reader.shown_at(Seconds(2.0 / 30));
  EXPECT_EQ(shown.index, 2);
  EXPECT_EQ(shown.pts, 2);
  EXPECT_DOUBLE_EQ(shown.time.count(), 2.0 / 30);
  EXPECT_DOUBLE_EQ(shown.end.count(), 3.0 / 30);
}

TEST(FrameReader, BeforeTheFilmIsItsFirstFrameAndAfterItsLast) {
  FrameReader reader(testing::golden("clip.avi"), sized(16));
  EXPECT_EQ(reader.shown_at(Seconds(-5)).index, 0);
  EXPECT_EQ(reader.shown_at(Seconds(9.99)).index, 299);
  EXPECT_EQ(reader.shown_at(Seconds(1e30)).index, 299);
  EXPECT_DOUBLE_EQ(reader.shown_at(Seconds(11)).end.count(), 10);
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.shown_at(Seconds(0)).index, 0);
  EXPECT_THROW(reader.shown_at(Seconds(std::numeric_limits<double>::quiet_NaN())), Error);
}

TEST(FrameReader, NextGoesOnFromTheFrameShown) {
  FrameReader reader(testing::golden("clip.avi"), sized(16));
  EXPECT_EQ(reader.next()->index, 0);
  EXPECT_EQ(reader.next()->index, 1);
  reader.shown_at(Seconds(4));
  EXPECT_EQ(reader.next()->index, 121);
}

TEST(FrameReader, EverySampleOfEveryPlanIsItsNominalFrameAtAConstantRate) {
  // Timestamps in whole frames, in 1/15360 s, and rounded to milliseconds. Plans that count frames
  // meet the rounded ones, too; those that count time take what is on screen by the timestamps.
  for (const auto& path :
       {testing::golden("clip.avi"), testing::film("Hevc"),
        testing::film("H264MillisecondTimestamps"), testing::film("NonZeroStartMkv")}) {
    for (const char* shorthand : {"clips", "released", "uniform:17", "fps:7"}) {
      SCOPED_TRACE(path.string() + " " + shorthand);
      const bool rounded = path.extension() == ".mkv";
      const PlanKind kind = parse_plan(shorthand).kind;
      if (rounded && (kind == PlanKind::clips || kind == PlanKind::fps)) continue;
      FrameReader reader(path, sized(16));
      const SamplingPlan plan = make_plan(parse_plan(shorthand), reader.info().timing(), 256);
      for (const Clip& clip : plan.clips) {
        for (const Sample& sample : clip.samples) {
          ASSERT_EQ(reader.shown_at(sample.time).index, sample.frame) << sample.time.count();
        }
      }
    }
  }
}

TEST(FrameReader, TheFileIsDescribed) {
  const VideoInfo hdr = FrameReader(testing::film("Hdr")).info();
  EXPECT_EQ(hdr.codec, "hevc");
  EXPECT_EQ(hdr.pixel_format, "yuv420p10le");
  EXPECT_EQ(hdr.bit_depth, 10);
  EXPECT_EQ(hdr.color_transfer, "smpte2084");
  EXPECT_EQ(hdr.color_matrix, "bt2020nc");
  EXPECT_EQ(hdr.width, 160);
  EXPECT_EQ(hdr.height, 120);
  EXPECT_EQ(hdr.fps, (Rational{25, 1}));
  EXPECT_EQ(hdr.frames, 50);
  const VideoInfo late = FrameReader(testing::film("NonZeroStartMkv")).info();
  EXPECT_EQ(late.container, "matroska,webm");
  EXPECT_NEAR(late.start.count(), 5, 0.1);
  EXPECT_NEAR(late.duration.count(), 2, 0.1);
}

// ---- work

TEST(FrameReader, ASparsePlanSeeksAndGivesTheVerySameFrames) {
  for (const char* extension : {"mp4", "mkv", "avi"}) {
    SCOPED_TRACE(extension);
    ReaderOptions plodding = sized(16);
    plodding.allow_seek = false;
    const bool indexed = std::string(extension) != "avi";  // H.264 in AVI has no timestamps
    FrameReader seeking(long_film(extension), sized(16));
    FrameReader forward(long_film(extension), plodding);
    Pixels sought(seeking.frame_bytes());
    Pixels read(seeking.frame_bytes());
    for (double time = 0; time < 300; time += 27.3) {
      ASSERT_EQ(seeking.shown_at(Seconds(time), sought), forward.shown_at(Seconds(time), read));
      ASSERT_EQ(sought, read);
    }
    EXPECT_EQ(forward.stats().seeks, 0);
    EXPECT_GT(forward.stats().frames_decoded, 6800);
    if (indexed) {
      EXPECT_EQ(seeking.stats().seeks, 10);
      EXPECT_LT(seeking.stats().frames_decoded, 11 * 60);
    } else {
      EXPECT_EQ(seeking.stats().seeks, 0);
    }
    EXPECT_EQ(seeking.stats().frames_converted, 11);
  }
}

TEST(FrameReader, ADensePlanNeverSeeks) {
  FrameReader reader(long_film("mp4"), sized(16));
  for (double time = 0; time < 60; time += 0.9) reader.shown_at(Seconds(time));
  EXPECT_EQ(reader.stats().seeks, 0);
}

TEST(FrameReader, GoingBackSeeksAndGivesTheVerySameFrames) {
  FrameReader reader(long_film("mkv"), sized(16));
  Pixels first(reader.frame_bytes()), again(reader.frame_bytes());
  const Shown shown = reader.shown_at(Seconds(33.33), first);
  reader.shown_at(Seconds(250));
  const int64_t before = reader.stats().frames_decoded;
  EXPECT_EQ(reader.shown_at(Seconds(33.33), again), shown);
  EXPECT_EQ(again, first);
  EXPECT_LT(reader.stats().frames_decoded - before, 80);
}

TEST(FrameReader, TheSameFrameAgainCostsNothing) {
  FrameReader reader(long_film("mp4"), sized(16));
  Pixels first(reader.frame_bytes()), again(reader.frame_bytes());
  reader.shown_at(Seconds(10.01), first);
  const ReadStats before = reader.stats();
  for (int i = 0; i < 5; ++i) reader.shown_at(Seconds(10.01 + 0.005 * i), again);
  EXPECT_EQ(again, first);
  EXPECT_EQ(reader.stats().frames_decoded, before.frames_decoded);
  EXPECT_EQ(reader.stats().frames_converted, before.frames_converted);
  EXPECT_EQ(reader.stats().seeks, before.seeks);
}

TEST(FrameReader, OnlyFramesAskedForAreConverted) {
  FrameReader reader(testing::golden("clip.avi"), sized(16));
  Pixels rgb(reader.frame_bytes());
  for (const double time : {1.0, 1.0, 2.0, 3.0}) reader.shown_at(Seconds(time), rgb);
  reader.shown_at(Seconds(4));
  while (reader.next()) {
  }
  EXPECT_EQ(reader.stats().frames_converted, 3);
}

TEST(FrameReader, RoomOfTheWrongSizeIsRefused) {
  FrameReader reader(testing::golden("clip.avi"), sized(16));
  Pixels rgb(16 * 16 * 3 - 1);
  EXPECT_THROW(reader.next(rgb), Error);
}

TEST(FrameReader, CancellingStopsReading) {
  CancelFlag cancel;
  ReaderOptions options = sized(16);
  options.cancel = &cancel;
  FrameReader reader(long_film("mp4"), options);
  reader.next();
  cancel.cancel();
  EXPECT_THROW(while (reader.next()){}, Cancelled);
  EXPECT_THROW(FrameReader(long_film("mp4"), options), Cancelled);
}

TEST(FrameReader, SettingsAreReadByName) {
  ReaderOptions options;
  set_field(options, "strict", "true");
  set_field(options, "threads", "3");
  EXPECT_TRUE(options.strict);
  EXPECT_EQ(options.threads, 3);
}

// ---- threads

TEST(FrameReaderThreads, TheirNumberDoesNotChangeFrames) {
  for (const char* kind : {"H264OpenGops", "H264ManySeveralSlices", "HevcOpenGops", "Ffv1", "Av1",
                           "Vp9WithHiddenFrames"}) {
    SCOPED_TRACE(kind);
    ReaderOptions one = sized(32);
    one.threads = 1;
    ReaderOptions many = sized(32);
    many.threads = 7;
    EXPECT_EQ(all_frames(testing::film(kind), one), all_frames(testing::film(kind), many));
  }
}

TEST(FrameReaderThreads, ReadersOfSeveralThreadsDoNotDisturbEachOther) {
  const std::vector<std::filesystem::path> paths = {
      testing::film("H264OpenGops"), testing::film("Vp9WithHiddenFrames"), testing::film("Gif"),
      testing::film("H264OpenGops")};
  std::vector<Pixels> expected, found(paths.size());
  for (const auto& path : paths) expected.push_back(all_frames(path, sized(32)));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < paths.size(); ++i) {
    threads.emplace_back([&, i] { found[i] = all_frames(paths[i], sized(32)); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace moviechat
