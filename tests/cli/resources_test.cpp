// moviechat where the machine gives less than it needs: exit code 1 and one line that says what ran
// out; or the answer.

#include <gmock/gmock.h>

#include "cli/refusal.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::run;
using ::testing::AnyOf;
using testing::film;
using ::testing::HasSubstr;
using testing::moviechat;
using ::testing::Not;
using testing::shell_word;

const std::string kAsk = " --quiet --question a --max-new-tokens 2 --plan uniform:4 --model " +
                         shell_word(testing::shipped_bundle().string()) + " --video " + film();

TEST(Resources, LittleAddressSpaceIsCalledThat) {
  for (int mebibytes = 1000; mebibytes > 600; mebibytes -= 40) {
    const std::string limit = "ulimit -v " + std::to_string(mebibytes * 1024) + "; ";
    if (run(limit + testing::program() + " --version").exit_code != 0)
      break;  // too little to start
    const auto result = run(limit + testing::program() + kAsk);
    if (result.exit_code == 0) continue;
    SCOPED_TRACE(std::to_string(mebibytes) + " MiB: " + result.err);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, AnyOf(HasSubstr("memory"), HasSubstr("threads")));
    EXPECT_THAT(result.err, Not(HasSubstr("another model")));
  }
}

TEST(Resources, TooFewThreadsAreCalledThat) {
  const auto somebody = testing::as_somebody();
  if (!somebody) GTEST_SKIP() << "limits do not bind root, and nobody else is there";
  for (const char* threads : {"1", "2", "3"}) {
    const auto result =
        run(*somebody + " prlimit --nproc=" + threads + " " + testing::program() + kAsk);
    if (result.exit_code == 0) continue;
    SCOPED_TRACE(result.err);
    testing::expect_one_line(result, 1, {"threads"});
  }
}

TEST(Resources, AFolderThatHasBeenRemovedIsCalledThat) {
  const moviechat::testing::TemporaryFolder folder;
  const auto result = run("cd " + shell_word(folder.path().string()) + " && mkdir a && cd a && " +
                          "rmdir ../a && " + testing::program() + kAsk);
  testing::expect_one_line(result, 2, {"the current folder has been removed"});
}

}  // namespace
}  // namespace moviechat::cli
