// moviechat eval where something is wrong: with a film, a question, the disk, or the process
// itself.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <random>
#include <thread>

#include "base/files.h"
#include "cli/eval_films.h"
#include "program.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::run;
using ::testing::AllOf;
using testing::EvalFilms;
using ::testing::HasSubstr;
using testing::shell_word;
namespace fs = std::filesystem;

TEST(EvalFailures, AFilmReplacedUnderItsNameIsRefusedByResume) {
  const EvalFilms films(2);
  ASSERT_EQ(films.evaluate("out").exit_code, 0);
  EXPECT_EQ(films.rows("out")[0].sha256, sha256_of_file(films / "videos/1.mp4"));
  ASSERT_EQ(films.evaluate("out", "--resume").exit_code, 0) << "nothing has changed";

  const std::string before = films.predictions("out");
  const fs::path film = films / "videos/1.mp4";
  write_file(film, read_file(film, "film") + "x");  // as long and as right as it was, nearly
  for (const char* how : {"--resume", "--retry-failed"}) {
    const auto result = films.evaluate("out", how);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, AllOf(HasSubstr("film '1.mp4' has other bytes"), HasSubstr("--out")));
    EXPECT_EQ(films.predictions("out"), before);
  }
  fs::remove(film);  // answered about is answered about
  EXPECT_EQ(films.evaluate("out", "--resume").exit_code, 0);
}

TEST(EvalFailures, FilesOfOthersInItsFolderAreLeftAlone) {
  const EvalFilms films(1);
  ASSERT_EQ(films.evaluate("out").exit_code, 0);
  for (const char* name : {"predictions.jsonl.backup", "cost.json.before", "status.json.old123"}) {
    fs::copy_file(films / "out/predictions.jsonl", films / ("out/" + std::string(name)));
  }
  write_file(films / "out/.cost.json.Ab3xYz", "torn");
  EXPECT_EQ(films.evaluate("out").exit_code, 2);  // there is a run already
  EXPECT_TRUE(fs::exists(films / "out/.cost.json.Ab3xYz"));
  EXPECT_EQ(films.evaluate("out", "--resume").exit_code, 0);
  EXPECT_FALSE(fs::exists(films / "out/.cost.json.Ab3xYz"));
  EXPECT_TRUE(fs::exists(films / "out/predictions.jsonl.backup"));
  EXPECT_TRUE(fs::exists(films / "out/cost.json.before"));
  EXPECT_TRUE(fs::exists(films / "out/status.json.old123"));
}

TEST(EvalFailures, TimingsThatAreNoneFailNoRun) {
  const EvalFilms films(2);
  ASSERT_EQ(films.evaluate("out").exit_code, 0);
  std::ofstream(films / "out/timings.jsonl", std::ios::app) << "{\"index\": \"x\"}\n[]\n";
  const auto result = films.evaluate("out", "--resume");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("seconds a video:"));
  EXPECT_EQ(
      testing::moviechat("merge " + films.word("out") + " --out " + films.word("all")).exit_code,
      0);
}

TEST(EvalFailures, AStatusThatCannotBeWrittenFailsNoFilm) {
  const EvalFilms films(1);
  ASSERT_EQ(films.evaluate("whole").exit_code, 0);
  fs::create_directories(films / "out/status.json");  // no file can take the place of a folder
  const auto result = films.evaluate("out");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("warning: cannot write"));
  EXPECT_EQ(films.predictions("out"), films.predictions("whole"));
}

TEST(EvalFailures, AVideoThatCannotBeReadHasARowAndTheRunGoesOn) {
  EvalFilms films(3);
  write_file(films / "videos/2.mp4", "no film");
  fs::remove(films / "videos/3.mp4");
  auto result = films.evaluate("out");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.out, AllOf(HasSubstr("failed: '2.mp4': "), HasSubstr("failed: '3.mp4': ")));
  EXPECT_THAT(result.err, HasSubstr("2 of 3 videos failed; --retry-failed"));
  auto rows = films.rows("out");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_FALSE(rows[0].error);
  EXPECT_THAT(*rows[1].error, AllOf(HasSubstr("'2.mp4'"), Not(HasSubstr(films / "videos"))));
  EXPECT_EQ(rows[1].results.size(), 3U);
  EXPECT_FALSE(rows[1].results[0].answer);
  EXPECT_EQ(films.evaluate("out", "--resume").exit_code, 3);  // as it was
  EXPECT_EQ(films.rows("out").size(), 3U);

  fs::copy_file(films / "videos/1.mp4", films / "videos/2.mp4",
                fs::copy_options::overwrite_existing);
  result = films.evaluate("out", "--retry-failed");
  EXPECT_EQ(result.exit_code, 3);
  rows = films.rows("out");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_FALSE(rows[1].error);
  EXPECT_EQ(rows[1].results[1].token_ids, rows[0].results[1].token_ids);
  EXPECT_TRUE(rows[2].error);
}

TEST(EvalFailures, AQuestionThatCannotBeAskedCostsNoOtherAnswer) {
  EvalFilms films(2);
  ASSERT_EQ(films.evaluate("whole").exit_code, 0);
  std::string endless = "What";
  for (int i = 0; i < 400; ++i) endless += " on earth";
  films.annotate("1",
                 R"([{"question": "What moves in 1?", "answer": "A box"}, {"question": ")" +
                     endless + R"("}, {"question": "Is it day?"}])",
                 R"([{"time": 7, "question": "What is seen?", "answer": "A bar"}])");
  auto result = films.evaluate("out");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.out, HasSubstr("failed: '1.mp4' 1/g1: the question has "));
  EXPECT_THAT(result.err, HasSubstr("1 of 7 questions failed; --retry-failed"));
  const auto rows = films.rows("out");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_FALSE(rows[0].error);
  ASSERT_EQ(rows[0].results.size(), 4U);
  EXPECT_FALSE(rows[0].results[1].answer);
  EXPECT_THAT(*rows[0].results[1].error, HasSubstr("tokens, more than the"));
  const auto whole = films.rows("whole");
  EXPECT_EQ(rows[0].results[0].token_ids, whole[0].results[0].token_ids);
  EXPECT_EQ(rows[0].results[2].token_ids, whole[0].results[1].token_ids);
  EXPECT_EQ(rows[0].results[3].token_ids, whole[0].results[2].token_ids);
  result = testing::moviechat("score " + films.word("out"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("not scored: 1 question that could not be asked"));

  films.annotate("1", R"([{"question": "What moves in 1?", "answer": "A box"}])", "[]");
  films.annotate("2", R"([{"question": ")" + endless + R"("}])", "[]");
  result = films.evaluate("none", "--limit 2");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(films.rows("none")[1].counts.frames_decoded, 0);  // not watched for nothing
}

TEST(EvalFailures, AFilmThatCannotBeAnsweredAboutHasARowAndCostsNoOtherAnswer) {
  const EvalFilms films(3);
  fs::create_directories(films / "features");
  const auto evaluate = [&](const std::string& out) {
    return testing::moviechat("eval --dataset moviechat-1k --annotations " +
                              films.word("annotations") + " --features " + films.word("features") +
                              " --out " + films.word(out) +
                              " --plan uniform:8 --set memory.policy=keep_all"
                              " --set runtime.answers=100 --max-new-tokens 5");
  };
  for (const char* name : {"1", "2", "3"}) {
    write_file(films / ("annotations/" + std::string(name) + ".json"),
               R"({"info": {"video_path": ")" + std::string(name) +
                   R"(.mp4", "fps": 25, "num_frame": 1000}, "global": [{"question": "Who?"}],
                       "breakpoint": [{"time": 500, "question": "What?"}]})");
    write_file(films / ("features/" + std::string(name) + ".npy"), testing::features_file());
  }
  ASSERT_EQ(evaluate("whole").exit_code, 0);
  // Finite, as features must be; what the model makes of them is not.
  write_file(films / "features/2.npy", testing::features_file(3e38F));
  const auto result = evaluate("out");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_THAT(result.out, HasSubstr("failed: '2.mp4': language model: none of its "));
  const auto rows = films.rows("out");
  const auto whole = films.rows("whole");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_THAT(*rows[1].error, HasSubstr("logits is a finite number"));
  for (const size_t other : {0U, 2U}) {
    EXPECT_FALSE(rows[other].error);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(rows[other].results[i].token_ids, whole[other].results[i].token_ids);
    }
  }
}

TEST(EvalFailures, ARunIsNotMixedWithAnother) {
  const EvalFilms films(2);
  ASSERT_EQ(films.evaluate("out", "--limit 1").exit_code, 0);
  auto result = films.evaluate("out", "--limit 1");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("holds a run already; --resume"));
  const std::string before = films.predictions("out");
  for (const auto& [more, field] : std::vector<std::pair<std::string, std::string>>{
           {"--limit 2", "data_set.videos 1, this run has 2"},
           {"--limit 1 --mode global", "data_set.mode 'both', this run has 'global'"},
           {"--limit 1 --seed 3", "settings.generation.seed '0', this run has '3'"},
           {"--limit 1 --shard 1/2", "shard '1/1', this run has '1/2'"},
           {"--limit 1 --evidence", "evidence false, this run has true"}}) {
    result = films.evaluate("out", "--resume " + more);
    EXPECT_EQ(result.exit_code, 2) << more;
    EXPECT_THAT(result.err, HasSubstr(field));
  }
  EXPECT_EQ(films.predictions("out"), before);
  // Held by somebody else.
  result = run("flock " + films.word("out/lock") +
               " env MOVIECHAT_MODEL=" + shell_word(moviechat::testing::tiny_bundle().string()) +
               " " + testing::program() + " " + films.eval("out", "--limit 1 --resume"));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("is in use by another run"));
}

/// A command line that runs until it is killed.
class Victim {
 public:
  explicit Victim(const std::string& command) : child_(fork()) {
    if (child_ != 0) return;
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  /// Waits until a file has `bytes` bytes more than now.
  void let_grow(const fs::path& file, uint64_t bytes) {
    std::error_code none;
    const auto size = [&] { return fs::exists(file) ? fs::file_size(file, none) : 0; };
    const uint64_t enough = size() + bytes;
    while (size() < enough && waitpid(child_, &status_, WNOHANG) != child_) {
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  }
  /// False when it ended before.
  bool kill_after(std::chrono::microseconds time) {
    std::this_thread::sleep_for(time);
    kill(child_, SIGKILL);
    waitpid(child_, &status_, 0);
    return WIFSIGNALED(status_);
  }

 private:
  pid_t child_;
  int status_ = 0;
};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

// Every other time while rows are written, else from the start on, when the folder and its manifest
// are made or read. MOVIECHAT_TEST_KILLS=200 kills more often.

TEST(EvalFailures, AKilledRunGoesOnAsIfNothingHadBeen) {
  const char* wished = std::getenv("MOVIECHAT_TEST_KILLS");
  const int kills = wished != nullptr ? std::atoi(wished) : 20;
  const EvalFilms films(14 * kills);  // rows come in bursts, of films that are answered together
  ASSERT_EQ(films.evaluate("whole").exit_code, 0);
  std::mt19937 random(static_cast<unsigned>(kills));
  std::uniform_int_distribution<uint64_t> growth(0, 3000);  // a row has some 800 bytes
  std::uniform_int_distribution<int> later(0, 20'000);      // µs; a film takes about as long
  std::uniform_int_distribution<int> early(0, 400'000);
  const std::string command =
      "exec env MOVIECHAT_MODEL=" + shell_word(moviechat::testing::tiny_bundle().string()) + " " +
      testing::program() + " " + films.eval("out", "--resume --quiet") + " >/dev/null";
  for (int i = 0; i < kills; ++i) {
    Victim run(command);
    const bool writing = i % 2 == 0;
    if (writing) run.let_grow(films / "out/predictions.jsonl", growth(random));
    ASSERT_TRUE(run.kill_after(std::chrono::microseconds(writing ? later(random) : early(random))))
        << "the run came to its end before kill " << i + 1;
  }
  EXPECT_LT(films.predictions("out").size(), films.predictions("whole").size());
  ASSERT_EQ(films.evaluate("out", "--resume").exit_code, 0);
  EXPECT_EQ(films.predictions("out"), films.predictions("whole"));
  EXPECT_EQ(names_in(films / "out"), names_in(films / "whole"));
}

TEST(EvalFailures, WhatIsMissingOrContradictsItselfIsNamed) {
  const EvalFilms films(1);
  const auto refusal = [&](const std::string& arguments) {
    const auto result = testing::moviechat("eval " + arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    return result.err;
  };
  const std::string questions = "--dataset moviechat-1k --annotations " + films.word("annotations");
  EXPECT_THAT(refusal("--out x"), HasSubstr("give --dataset"));
  EXPECT_THAT(refusal("--dataset moviechat --out x"), HasSubstr("moviechat-1k, moviechat-1k-test"));
  EXPECT_THAT(refusal(questions + " --out x"), HasSubstr("give --videos"));
  EXPECT_THAT(refusal(questions + " --videos /none --out x"), HasSubstr("'/none'"));
  EXPECT_THAT(refusal(questions + " --videos /tmp"), HasSubstr("give --out"));
  EXPECT_THAT(refusal(questions + " --videos /tmp --out x --shard 3/2"), HasSubstr("like 2/7"));
  EXPECT_THAT(refusal(questions + " --videos /tmp --out x --limit 0"), HasSubstr("at least 1"));
  EXPECT_THAT(refusal(questions + " --videos /tmp --out x --format srt"), HasSubstr("moviechat"));
  EXPECT_THAT(testing::moviechat("merge a b").err, HasSubstr("give --out"));
}

}  // namespace
}  // namespace moviechat::cli
