#include <gtest/gtest.h>

#include <string>
#include "base/json.h"

#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

/// Ten minutes of small pictures, and the same sixty times over: ten hours.
class LongFilm : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    const auto made = testing::run(
        "cd '" + folder_->path().string() + "' && " +
        "ffmpeg -v error -nostdin -f lavfi -i testsrc2=s=64x48:r=4 -t 600 -pix_fmt yuv420p -c:v "
        "libx264 "
        "-preset ultrafast -g 12 ten_minutes.mkv && "
        "ffmpeg -v error -nostdin -stream_loop 59 -i ten_minutes.mkv -c copy ten_hours.mkv");
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  static void TearDownTestSuite() { delete folder_; }

  static nlohmann::json watch(const std::string& film, const std::string& flags) {
    const auto result =
        testing::run((testing::binary_dir() / "bin" / "moviechat").string() + " --model " +
                     testing::tiny_bundle().string() + " --video '" + (*folder_ / film).string() +
                     "' --question 'What happens?' --max-new-tokens 4 --json --threads 1 " + flags);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out);
  }

  static testing::TemporaryFolder* folder_;
};
testing::TemporaryFolder* LongFilm::folder_ = nullptr;

constexpr double kMegabyte = 1e6;

TEST_F(LongFilm, NeedsNoMoreMemoryThanAShortOne) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer keeps freed memory";
#endif
  for (const std::string flags : {"", "--set video.allow_seek=false"}) {
    const auto short_film = watch("ten_minutes.mkv", flags);
    const auto long_film = watch("ten_hours.mkv", flags);
    EXPECT_LT(long_film["peak_memory_bytes"].get<double>() -
                  short_film["peak_memory_bytes"].get<double>(),
              5 * kMegabyte)
        << flags;
    EXPECT_EQ(long_film["counts"]["blocks_long"], short_film["counts"]["blocks_long"]);
  }
}

TEST_F(LongFilm, IsDecodedOnceWhenReadThrough) {
  const auto short_film = watch("ten_minutes.mkv", "--set video.allow_seek=false");
  const auto long_film = watch("ten_hours.mkv", "--set video.allow_seek=false");
  const auto decoded = [](const nlohmann::json& run) {
    return run["counts"]["frames_decoded"].get<double>();
  };
  EXPECT_NEAR(decoded(long_film) / decoded(short_film), 60, 1.5);
}

TEST_F(LongFilm, IsMostlySkippedByASparsePlan) {
  const auto film = watch("ten_hours.mkv", "--plan uniform:8 --set memory.policy=keep_all");
  EXPECT_EQ(film["counts"]["frames_encoded"], 8);
  EXPECT_LT(film["counts"]["frames_decoded"].get<int64_t>(), 8 * 40);
  EXPECT_GE(film["counts"]["seeks"].get<int64_t>(), 7);
}

}  // namespace
}  // namespace moviechat
