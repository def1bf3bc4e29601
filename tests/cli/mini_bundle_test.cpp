// The bundle and the clip that come with the program, by the program's defaults.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "moviechat/support/files.h"
#include "program.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::TemporaryFolder;
using nlohmann::json;
using ::testing::IsEmpty;
using testing::shell_word;

class MiniBundle : public ::testing::Test {
 protected:
  MiniBundle() : recorded_(json::parse(read_file(mini() / "sample.json", "questions"))) {}

  static std::filesystem::path mini() {
    return moviechat::testing::source_dir() / "models" / "mini";
  }
  static std::string clip() { return shell_word((mini() / "sample.mp4").string()); }

  /// The sample's questions of a kind ("global", "breakpoint"), asked in one run.
  json ask(const std::string& kind) const {
    std::string lines;
    for (const json& one : recorded_.at(kind)) {
      json line = {{"question", one.at("question")}};
      if (one.contains("time")) line["at_frame"] = one.at("time");
      lines += line.dump() + "\n";
    }
    const TemporaryFolder folder;
    write_file(folder / "q.jsonl", lines);
    const auto result =
        moviechat::testing::run(testing::program() + " --log-level warn --json --video " + clip() +
                                " --questions " + shell_word((folder / "q.jsonl").string()));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, IsEmpty());
    return json::parse(result.out);
  }
  double share_right(const std::string& kind) const {
    const json results = ask(kind).at("results");
    const json& expected = recorded_.at(kind);
    EXPECT_EQ(results.size(), expected.size());
    int right = 0;
    for (size_t i = 0; i < results.size(); ++i) {
      right += results[i].at("answer") == expected[i].at("answer") ? 1 : 0;
    }
    return static_cast<double>(right) / static_cast<double>(results.size());
  }

  json recorded_;
};

TEST_F(MiniBundle, AnswersQuestionsAboutTheWholeSample) { EXPECT_GE(share_right("global"), 0.8); }

TEST_F(MiniBundle, AnswersQuestionsAboutMomentsOfTheSample) {
  EXPECT_GE(share_right("breakpoint"), 0.8);
}

TEST_F(MiniBundle, IsFoundWithoutAFlag) {
  const json report = ask("global");
  EXPECT_EQ(report.at("bundle").at("sha256"), sha256_of_file(mini() / "model.yaml"));
  EXPECT_EQ(report.at("profile"), "paper");
}

}  // namespace
}  // namespace moviechat::cli
