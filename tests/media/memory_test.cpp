// Peak memory does not depend on the length of a film, and work grows with it linearly.

#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>

#include "media/films.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryIsOurs = false;  // a sanitizer's own memory grows with the work
#else
constexpr bool kMemoryIsOurs = true;
#endif

struct Cost {
  int64_t peak_kb = 0;
  int64_t packets = 0;
  int64_t decoded = 0;
  int64_t seeks = 0;
};

/// What a fresh process takes to read a film.
Cost cost_of(const std::filesystem::path& film, const std::string& plan) {
  const auto program = testing::binary_dir() / "bin" / "film_cost";
  const auto result =
      testing::run("'" + program.string() + "' '" + film.string() + "' '" + plan + "'");
  Cost cost;
  std::istringstream out(result.out);
  if (!(out >> cost.peak_kb >> cost.packets >> cost.decoded >> cost.seeks)) {
    throw std::runtime_error("no cost in: " + result.out + result.err);
  }
  return cost;
}

std::filesystem::path film_of(int minutes, int frames_a_second, const std::string& extension) {
  const std::string rate = std::to_string(frames_a_second);
  const auto minute = testing::films_folder() / (rate + "fps.mp4");
  if (!std::filesystem::exists(minute)) {
    testing::ffmpeg("-f lavfi -i testsrc2=size=64x48:duration=60:rate=" + rate +
                    " -c:v libx264 -preset veryfast -bf 2 -g " +
                    std::to_string(20 * frames_a_second) + " '" + minute.string() + "'");
  }
  const auto path =
      testing::films_folder() / (std::to_string(minutes) + "x" + rate + "." + extension);
  testing::ffmpeg("-stream_loop " + std::to_string(minutes - 1) + " -i '" + minute.string() +
                  "' -c copy '" + path.string() + "'");
  return path;
}

constexpr int64_t kAllowedKb = 5000;

class FilmOfAnyLength : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "the address sanitizer keeps freed memory";
#endif
  }
};

TEST_P(FilmOfAnyLength, NeedsTheSamePeakMemoryAndWorkInProportion) {
  const auto minutes = film_of(10, 1, GetParam());
  const auto hours = film_of(600, 1, GetParam());
  for (const char* plan : {"all", "clips"}) {
    SCOPED_TRACE(plan);
    const Cost brief = cost_of(minutes, plan);
    const Cost lengthy = cost_of(hours, plan);
    RecordProperty(std::string(plan) + "_kb", std::to_string(lengthy.peak_kb - brief.peak_kb));
    if (kMemoryIsOurs) {
      EXPECT_LT(lengthy.peak_kb - brief.peak_kb, kAllowedKb);
    }
    if (plan == std::string("all")) {
      EXPECT_EQ(brief.decoded, 600);
      EXPECT_EQ(lengthy.decoded, 60 * 600);
      EXPECT_EQ(lengthy.packets, 60 * brief.packets);
      EXPECT_EQ(lengthy.seeks, 0);
    } else {
      EXPECT_LE(lengthy.decoded, 60 * brief.decoded);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, FilmOfAnyLength, ::testing::Values("mkv", "ts", "mp4"),
                         [](const auto& format) { return std::string(format.param); });

// Of an MP4 file FFmpeg holds an entry for every frame.
TEST(Mp4OfAnyLength, NeedsOneEntryAFrame) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer keeps freed memory";
#endif
  constexpr int64_t kEntry = 24 + 8;  // bytes: place and time of the frame, delay of its show
  constexpr int64_t kMoreFrames = 590 * 60 * 25;
  const Cost brief = cost_of(film_of(10, 25, "mp4"), "uniform:8");
  const Cost lengthy = cost_of(film_of(600, 25, "mp4"), "uniform:8");
  RecordProperty("kb", std::to_string(lengthy.peak_kb - brief.peak_kb));
  if (kMemoryIsOurs) {
    EXPECT_LT(lengthy.peak_kb - brief.peak_kb, kAllowedKb + kMoreFrames * kEntry / 1024);
  }
}

}  // namespace
}  // namespace moviechat
