// Peak memory does not depend on the length of a film, and work grows with it linearly.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "films.h"
#include "moviechat/video/frame_reader.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryIsOurs = false;  // a sanitizer's own memory grows with the work
#else
constexpr bool kMemoryIsOurs = true;
#endif

/// VmHWM of this process in kB.
int64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6));
  }
  return -1;
}

struct Cost {
  int64_t peak_kb = 0;
  int64_t packets = 0;
  int64_t decoded = 0;
  int64_t seeks = 0;
};

// Not a test of its own: a fresh process that reads one film, for the tests below.
TEST(OneFilm, DISABLED_ReadsTheFilmNamedByTheEnvironment) {
  const char* film = std::getenv("MOVIECHAT_TEST_FILM");
  if (film == nullptr) GTEST_SKIP();
  ReaderOptions options;
  options.size = 32;
  options.threads = 2;
  FrameReader reader(film, options);
  std::vector<uint8_t> rgb(reader.frame_bytes());
  const std::string plan = std::getenv("MOVIECHAT_TEST_PLAN");
  if (plan == "all") {
    while (reader.next()) {
    }
  } else {
    for (const Clip& clip : make_plan(parse_plan(plan), reader.info().timing(), 64).clips) {
      for (const Sample& sample : clip.samples) reader.shown_at(sample.time, rgb);
    }
  }
  const ReadStats& stats = reader.stats();
  std::cout << "COST " << peak_memory() << ' ' << stats.packets_read << ' ' << stats.frames_decoded
            << ' ' << stats.seeks << std::endl;
}

Cost cost_of(const std::filesystem::path& film, const std::string& plan) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  const auto result =
      testing::run("MOVIECHAT_TEST_FILM='" + film.string() + "' MOVIECHAT_TEST_PLAN=" + plan +
                   " '" + self.string() +
                   "' --gtest_also_run_disabled_tests "
                   "--gtest_filter=OneFilm.DISABLED_ReadsTheFilmNamedByTheEnvironment");
  const size_t at = result.out.find("COST ");
  if (at == std::string::npos) throw std::runtime_error("no cost in: " + result.out + result.err);
  Cost cost;
  std::istringstream(result.out.substr(at + 5)) >> cost.peak_kb >> cost.packets >> cost.decoded >>
      cost.seeks;
  return cost;
}

std::filesystem::path film_of_minutes(int minutes, const std::string& extension) {
  const auto minute = testing::films_folder() / "minute.mp4";
  if (!std::filesystem::exists(minute)) {
    testing::ffmpeg(
        "-f lavfi -i testsrc2=size=64x48:rate=1:duration=60 -c:v libx264 -preset veryfast -g 20 "
        "'" +
        minute.string() + "'");
  }
  const auto path = testing::films_folder() / (std::to_string(minutes) + "minutes." + extension);
  testing::ffmpeg("-stream_loop " + std::to_string(minutes - 1) + " -i '" + minute.string() +
                  "' -c copy '" + path.string() + "'");
  return path;
}

class FilmOfAnyLength : public ::testing::TestWithParam<const char*> {};

// A frame a second: the index of an MP4 file, all of which FFmpeg holds, takes some 60 bytes a
// frame.
TEST_P(FilmOfAnyLength, NeedsTheSamePeakMemoryAndWorkInProportion) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer keeps freed memory";
#endif
  constexpr int64_t kAllowedKb = 5000;
  const auto minutes = film_of_minutes(10, GetParam());
  const auto hours = film_of_minutes(600, GetParam());
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

}  // namespace
}  // namespace moviechat
