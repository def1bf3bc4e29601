// The bundle and the clip that come with the program, by the program's defaults.

#include <gmock/gmock.h>

#include "base/json.h"

#include "base/files.h"
#include "program.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::TemporaryFolder;
using nlohmann::json;
using ::testing::IsEmpty;
using testing::shell_word;

/// All questions of the sample, asked in one run: one pass over the clip.
class MiniBundle : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    recorded_ = json::parse(read_file(mini() / "sample.json", "questions"));
    std::string lines;
    for (const char* kind : {"global", "breakpoint"}) {
      for (const json& one : recorded_.at(kind)) {
        json line = {{"question", one.at("question")}};
        if (one.contains("time")) line["at_frame"] = one.at("time");
        lines += line.dump() + "\n";
      }
    }
    const TemporaryFolder folder;
    write_file(folder / "q.jsonl", lines);
    const auto result =
        moviechat::testing::run(testing::program() + " --log-level warn --json --video " +
                                shell_word((mini() / "sample.mp4").string()) + " --questions " +
                                shell_word((folder / "q.jsonl").string()));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, IsEmpty());
    report_ = json::parse(result.out);
  }

  static std::filesystem::path mini() {
    return moviechat::testing::source_dir() / "models" / "mini";
  }

  /// How many of the questions of a kind, whose results begin at `first`, got the recorded answer.
  static double share_right(const std::string& kind, size_t first) {
    const json& expected = recorded_.at(kind);
    size_t right = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const json& result = report_.at("results").at(first + i);
      EXPECT_EQ(result.at("question"), expected[i].at("question"));
      EXPECT_EQ(result.at("mode"), kind);
      right += result.at("answer") == expected[i].at("answer") ? 1U : 0U;
    }
    return static_cast<double>(right) / static_cast<double>(expected.size());
  }

  static json recorded_;
  static json report_;
};
json MiniBundle::recorded_;
json MiniBundle::report_;

TEST_F(MiniBundle, AnswersQuestionsAboutTheWholeSample) {
  EXPECT_GE(share_right("global", 0), 0.8);
}

TEST_F(MiniBundle, AnswersQuestionsAboutMomentsOfTheSample) {
  EXPECT_GE(share_right("breakpoint", recorded_.at("global").size()), 0.8);
}

TEST_F(MiniBundle, IsFoundWithoutAFlag) {
  EXPECT_EQ(report_.at("bundle").at("sha256"), sha256_of_file(mini() / "model.yaml"));
  EXPECT_EQ(report_.at("profile"), "paper");
}

}  // namespace
}  // namespace moviechat::cli
