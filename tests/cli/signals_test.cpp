#include <gmock/gmock.h>

#include "program.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::run;
using moviechat::testing::TemporaryFolder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::shell_word;

struct Stop {
  std::string signal;
  double after;  // seconds
};

class Signals : public ::testing::TestWithParam<Stop> {
 protected:
  /// Half an hour of film, every frame of it wanted: nothing that is over before the signal comes.
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    const auto made = run("ffmpeg -v error -f lavfi -i testsrc2=s=64x48:r=5:d=10 -c:v libx264 " +
                          shell_word((*folder_ / "short.mp4").string()) +
                          " && ffmpeg -v error -stream_loop 180 -i " +
                          shell_word((*folder_ / "short.mp4").string()) + " -c copy " + film());
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string film() { return shell_word((*folder_ / "film.mp4").string()); }

  static TemporaryFolder* folder_;
};
TemporaryFolder* Signals::folder_ = nullptr;

/// Starts the program, sends the signal, and prints exit code and milliseconds until it was gone. A
/// shell starts what runs in the background with SIGINT ignored; env undoes that.
moviechat::testing::ProgramResult stopped(const Stop& stop, const std::string& arguments) {
  return run(
      "bash -c " +
      shell_word("env --default-signal=INT MOVIECHAT_MODEL=" +
                 shell_word(moviechat::testing::tiny_bundle().string()) + " " + testing::program() +
                 " " + arguments + " >/dev/null & pid=$!; sleep " + std::to_string(stop.after) +
                 "; from=$(date +%s%N); kill -" + stop.signal +
                 " $pid; wait $pid; code=$?; echo $code $((($(date +%s%N) - from) / 1000000))"));
}

TEST_P(Signals, EndTheProgramWithinASecond) {
  const auto result = stopped(GetParam(), "--plan fps:5 --question a --video " + film());
  int code = 0;
  int milliseconds = 0;
  ASSERT_EQ(std::sscanf(result.out.c_str(), "%d %d", &code, &milliseconds), 2) << result.out;
  EXPECT_EQ(code, GetParam().signal == "INT" ? 130 : 143) << result.err;
  EXPECT_LT(milliseconds, 1000);
  EXPECT_LE(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

TEST_P(Signals, LeaveNoFramesBehind) {
  const TemporaryFolder out;
  const auto result = stopped(GetParam(), "inspect " + film() + " --plan fps:5 --frames " +
                                              shell_word((out / "frames").string()));
  EXPECT_TRUE(result.out.starts_with(GetParam().signal == "INT" ? "130 " : "143 ")) << result.out;
  EXPECT_TRUE(std::filesystem::is_empty(out.path()));
}

TEST_P(Signals, EndAnswersThatAreBeingMade) {
  std::string questions;
  for (int i = 0; i < 100; ++i) questions += " --question a" + std::to_string(i);
  const auto result = stopped(GetParam(),
                              "--beams 8 --min-new-tokens 279 --max-new-tokens 280"
                              " --plan uniform:8 --video " +
                                  shell_word((*folder_ / "short.mp4").string()) + questions);
  int code = 0;
  int milliseconds = 0;
  ASSERT_EQ(std::sscanf(result.out.c_str(), "%d %d", &code, &milliseconds), 2) << result.out;
  EXPECT_EQ(code, GetParam().signal == "INT" ? 130 : 143) << result.err;
  EXPECT_LT(milliseconds, 1000);
}

INSTANTIATE_TEST_SUITE_P(Program, Signals,
                         ::testing::Values(Stop{"TERM", 0.05}, Stop{"INT", 1.5}, Stop{"TERM", 1.5}),
                         [](const auto& tested) {
                           return tested.param.signal + (tested.param.after < 1 ? "Early" : "Late");
                         });

}  // namespace
}  // namespace moviechat::cli
