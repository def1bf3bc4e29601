// The program itself, with films that come through pipes.

#include <gmock/gmock.h>

#include "base/json.h"

#include "program.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::ProgramResult;
using nlohmann::json;
using testing::film;
using ::testing::HasSubstr;
using testing::moviechat;

constexpr const char* kAsk = " --question 'What happens?' --max-new-tokens 8 --temperature 0";

/// The program in a shell line, with what stands before it and after it.
ProgramResult piped(const std::string& before, const std::string& arguments,
                    const std::string& after = "") {
  return moviechat::testing::run(before + "MOVIECHAT_MODEL=" +
                                 testing::shell_word(moviechat::testing::tiny_bundle().string()) +
                                 " " + testing::program() + " " + arguments + after);
}

TEST(FilmFromStdin, IsAnsweredAboutAsItsFileIs) {
  const std::string file = film();
  for (const std::string plan : {"", " --plan fps:2", " --plan uniform:4 --at-frame 3"}) {
    const ProgramResult stored = moviechat("--video " + file + kAsk + plan);
    ASSERT_EQ(stored.exit_code, 0) << stored.err;
    const ProgramResult pipe = piped("cat " + file + " | ", "--video - " + (kAsk + plan));
    EXPECT_EQ(pipe.exit_code, 0) << pipe.err;
    EXPECT_EQ(pipe.out, stored.out) << plan;
    const ProgramResult redirected = piped("", "--video - " + (kAsk + plan), " < " + file);
    EXPECT_EQ(redirected.out, stored.out) << plan;
  }
}

TEST(FilmFromStdin, CanBeInspected) {
  const std::string file = film();
  const auto shown = [](const ProgramResult& result) {
    EXPECT_EQ(result.exit_code, 0) << result.err;
    json report = json::parse(result.out);
    report["video"].erase("path");
    report["counts"].erase("seeks");
    return report;
  };
  const std::string arguments = "inspect --json --plan uniform:4 ";
  EXPECT_EQ(shown(piped("cat " + file + " | ", arguments + "-")),
            shown(moviechat(arguments + file)));
}

TEST(FilmFromStdin, WithoutAFilmIsRefusedInOneLine) {
  const ProgramResult empty = piped("", std::string("--video -") + kAsk, " < /dev/null");
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_THAT(empty.err, HasSubstr("video '/dev/stdin' is a device"));
  const ProgramResult nothing = piped("true | ", std::string("--video -") + kAsk);
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("video '/dev/stdin' is empty (0 bytes)"));
  const ProgramResult both = piped("true | ", "--video - --questions -");
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_THAT(both.err, HasSubstr("--video - and --questions - both read stdin"));
}

}  // namespace
}  // namespace moviechat::cli
