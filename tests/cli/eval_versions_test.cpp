// moviechat eval where the film that lies there is not the version that was annotated.

#include <gmock/gmock.h>

#include "base/files.h"
#include "cli/eval_films.h"
#include "program.h"

namespace moviechat::cli {
namespace {

using ::testing::AllOf;
using testing::EvalFilms;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

/// Annotates a film, which has 20 frames, 10 a second, with what `info` says besides its name and
/// with breakpoints at `times`.
void annotate(const EvalFilms& films, const std::string& name, const std::string& info,
              const std::vector<int>& times) {
  std::string moments;
  for (const int time : times) {
    moments += (moments.empty() ? "" : ", ") + std::string(R"({"question": "What?", "time": )") +
               std::to_string(time) + "}";
  }
  write_file(films / ("annotations/" + name + ".json"),
             R"({"info": {"video_path": ")" + name + R"(.mp4")" + info +
                 R"(}, "global": [{"question": "Who?"}], "breakpoint": [)" + moments + "]}");
}

size_t count(const std::string& text, const std::string& part) {
  size_t times = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

TEST(EvalVersions, AFilmOfAnotherLengthIsToldOnceWithBothNumbers) {
  const EvalFilms films(2);
  annotate(films, "1", R"(, "num_frame": 20, "fps": 10)", {7, 14});
  annotate(films, "2", R"(, "num_frame": 12000, "fps": 10)", {7, 14});
  const auto result = films.evaluate("out");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("warning: '2.mp4' is annotated with num_frame 12000"),
                                HasSubstr("num_frame 20, fps 10, 2 s"), Not(HasSubstr("'1.mp4'"))));
  EXPECT_EQ(count(result.err, "another version"), 1U) << result.err;
  const auto row = films.rows("out")[1];
  EXPECT_EQ(row.results[1].frame, 7);
  EXPECT_DOUBLE_EQ(*row.results[1].at, 0.7);
  EXPECT_DOUBLE_EQ(*row.results[2].at, 1.4);
}

TEST(EvalVersions, AFilmOfAnotherRateIsAskedByTime) {
  const EvalFilms films(1);
  annotate(films, "1", R"(, "num_frame": 20, "fps": 10)", {7, 14});
  ASSERT_EQ(films.evaluate("own").exit_code, 0);
  annotate(films, "1", R"(, "num_frame": 40, "fps": 20)", {14, 28});
  const auto result = films.evaluate("out");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("num_frame 40, fps 20"),
                                HasSubstr("num_frame 20, fps 10"), HasSubstr("asked by time")));
  const auto own = films.rows("own")[0];
  const auto row = films.rows("out")[0];
  ASSERT_EQ(row.results.size(), 3U);
  EXPECT_EQ(row.results[2].frame, 28);  // as annotated
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(row.results[i].at, own.results[i].at);
    EXPECT_EQ(row.results[i].token_ids, own.results[i].token_ids);
  }
}

TEST(EvalVersions, RoundedAndMissingNumbersAreNotTold) {
  const EvalFilms films(1);
  for (const char* info :
       {"", R"(, "num_frame": 20)", R"(, "fps": 10)", R"(, "num_frame": 21, "fps": 10.01)",
        R"(, "num_frame": "20", "fps": "10.0")", R"(, "num_frame": NaN, "fps": NaN)"}) {
    annotate(films, "1", info, {7});
    const auto result = films.evaluate("out");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("warning"))) << info;
    fs::remove_all(films / "out");
  }
}

TEST(EvalVersions, StrictMakesAnotherVersionAFilmThatFailed) {
  const EvalFilms films(3);
  annotate(films, "1", R"(, "num_frame": 20, "fps": 10)", {7});
  annotate(films, "2", R"(, "num_frame": 12000, "fps": 10)", {7});
  annotate(films, "3", R"(, "num_frame": 40, "fps": 20)", {7});
  const auto result = films.evaluate("out", "--set eval.strict=true");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.out, AllOf(HasSubstr("failed: '2.mp4': "), HasSubstr("failed: '3.mp4': ")));
  const auto rows = films.rows("out");
  EXPECT_FALSE(rows[0].error);
  EXPECT_THAT(*rows[1].error, AllOf(HasSubstr("12000"), HasSubstr("eval.strict"),
                                    Not(HasSubstr(films / "videos"))));
  EXPECT_FALSE(rows[1].results[0].answer);
  EXPECT_TRUE(rows[2].error);
}

TEST(EvalVersions, ShardsAndResumedRunsAskAboutTheSameMoments) {
  const EvalFilms films(3);
  for (const char* name : {"1", "2", "3"}) {
    annotate(films, name, R"(, "num_frame": 40, "fps": 20)", {14, 28});
  }
  ASSERT_EQ(films.evaluate("whole").exit_code, 0);
  ASSERT_EQ(films.evaluate("a", "--shard 1/2").exit_code, 0);
  ASSERT_EQ(films.evaluate("b", "--shard 2/2").exit_code, 0);
  const auto merged = testing::moviechat("merge " + films.word("a") + " " + films.word("b") +
                                         " --out " + films.word("merged"));
  ASSERT_EQ(merged.exit_code, 0) << merged.err;
  EXPECT_EQ(films.predictions("merged"), films.predictions("whole"));

  fs::copy(films / "whole", films / "resumed");
  std::string rows = films.predictions("resumed");
  rows.resize(rows.find('\n') + 1);
  write_file(films / "resumed/predictions.jsonl", rows);
  ASSERT_EQ(films.evaluate("resumed", "--resume").exit_code, 0);
  EXPECT_EQ(films.predictions("resumed"), films.predictions("whole"));
}

TEST(EvalVersions, AMomentOfADataSetIsTakenAsTheCommandLineTakesIt) {
  const EvalFilms films(1);
  write_file(films / "q.csv",
             "video,question,at\n1.mp4,What?,0:01.5\n1.mp4,What?,1.5\n1.mp4,What?,nan\n");
  const auto eval = [&](const std::string& file, const std::string& out) {
    return testing::moviechat("eval --dataset jsonl --annotations " + films.word(file) +
                              " --videos " + films.word("videos") + " --out " + films.word(out) +
                              " --plan uniform:4 --max-new-tokens 6");
  };
  ASSERT_EQ(eval("q.csv", "out").exit_code, 0);
  const auto row = films.rows("out")[0];
  EXPECT_EQ(row.results[0].at, 1.5);
  EXPECT_EQ(row.results[0].token_ids, row.results[1].token_ids);
  EXPECT_FALSE(row.results[2].at);

  write_file(films / "bad.jsonl", R"({"video": "1.mp4", "question": "What?", "at": "1:75"})");
  const auto refused = eval("bad.jsonl", "none");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.err;
  EXPECT_THAT(refused.err, AllOf(HasSubstr("bad.jsonl' line 1: at"), HasSubstr("'1:75'")));
}

}  // namespace
}  // namespace moviechat::cli
