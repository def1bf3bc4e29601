// moviechat eval and merge as a user meets them: whole runs over short films with the tiny bundle.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "moviechat/eval/prediction.h"
#include "moviechat/support/files.h"
#include "program.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::ProgramResult;
using moviechat::testing::run;
using moviechat::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::shell_word;
namespace fs = std::filesystem;

/// A data set of short films in MovieChat-1K's shape: DIR/videos, DIR/annotations.
class Films {
 public:
  explicit Films(int count) {
    constexpr int kDistinct = 10;  // the others are these again
    fs::create_directories(folder_ / "videos");
    fs::create_directories(folder_ / "annotations");
    std::string command = "cd " + word("") + " && true";
    for (int i = 1; i <= count; ++i) {
      const std::string name = std::to_string(i);
      if (i > kDistinct) {
        fs::create_symlink(std::to_string(i % kDistinct + 1) + ".mp4",
                           folder_ / ("videos/" + name + ".mp4"));
      } else {
        command += " && ffmpeg -v error -f lavfi -i testsrc2=s=64x48:r=10:d=2,hue=h=" +
                   std::to_string(17 * i) + " -c:v mpeg4 videos/" + name + ".mp4";
      }
      annotate(name,
               R"([{"question": "What moves in )" + name +
                   R"(?", "answer": "A box"}, {"question": "Is it day?"}])",
               R"([{"time": 7, "question": "What is seen?", "answer": "A bar"}])");
    }
    const auto made = run(command);
    if (made.exit_code != 0) throw std::runtime_error("no films: " + made.err);
  }

  void annotate(const std::string& name, const std::string& whole, const std::string& moments) {
    write_file(folder_ / ("annotations/" + name + ".json"),
               "{\"info\": {\"video_path\": \"" + name + ".mp4\"}, \"global\": " + whole +
                   ", \"breakpoint\": " + moments + "}");
  }

  fs::path operator/(const std::string& name) const { return folder_ / name; }
  std::string word(const std::string& name) const { return shell_word((folder_ / name).string()); }

  /// Arguments of an eval of all films into the folder `out`.
  std::string eval(const std::string& out, const std::string& more = "") const {
    return "eval --dataset moviechat-1k --annotations " + word("annotations") + " --videos " +
           word("videos") + " --out " + word(out) +
           " --plan uniform:4 --set memory.consolidation=never --max-new-tokens 6 " + more;
  }
  ProgramResult evaluate(const std::string& out, const std::string& more = "") const {
    return testing::moviechat(eval(out, more));
  }
  std::string predictions(const std::string& out) const {
    return read_file(folder_ / (out + "/predictions.jsonl"), "predictions");
  }
  std::vector<eval::Prediction> rows(const std::string& out) const {
    return eval::read_predictions(folder_ / (out + "/predictions.jsonl"));
  }

 private:
  TemporaryFolder folder_;
};

TEST(Eval, EveryQuestionOfEveryFilmIsAnsweredInOnePass) {
  const Films films(3);
  const auto result = films.evaluate("out");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("3 videos, 9 questions"));
  EXPECT_THAT(result.out, HasSubstr("seconds a video:"));
  const auto rows = films.rows("out");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].video, "2.mp4");
  EXPECT_EQ(rows[1].results[2].id, "2/b0");
  EXPECT_EQ(rows[1].results[2].at, 0.7);
  EXPECT_EQ(rows[1].results[2].reference, "A bar");
  // The same answers as when the program is asked about the film by itself.
  const auto one = testing::moviechat(
      "--json --plan uniform:4 --set memory.consolidation=never "
      "--max-new-tokens 6 --question 'What is seen?' --at 0.7 "
      "--video " +
      films.word("videos/2.mp4"));
  EXPECT_EQ(nlohmann::json::parse(one.out)["results"][0]["token_ids"],
            rows[1].results[2].token_ids);
  const auto status = nlohmann::json::parse(read_file(films / "out/status.json", "status"));
  EXPECT_EQ(status["state"], "done");
  const auto cost = nlohmann::json::parse(read_file(films / "out/cost.json", "cost"));
  EXPECT_EQ(cost["videos"], 3);
  EXPECT_GT(cost["mean_seconds_per_stage"]["answer"], 0);
  EXPECT_GT(cost["peak_host_bytes"], 1 << 20);
  for (const std::string stage : {"open", "decode", "encode", "memory", "read", "answer"}) {
    EXPECT_GT(cost["peak_host_bytes_per_stage"][stage], 1 << 20) << stage;
    EXPECT_LE(cost["peak_host_bytes_per_stage"][stage], cost["peak_host_bytes"]) << stage;
  }
  EXPECT_TRUE(cost["peak_device_bytes_per_stage"].empty());
}

TEST(Eval, AnswersAreTheSameHoweverManyAreDecodedTogether) {
  const Films films(5);
  ASSERT_EQ(films.evaluate("alone", "--evidence --set runtime.answers=1").exit_code, 0);
  for (const char* together : {"2", "8", "100"}) {
    const std::string out = "together" + std::string(together);
    ASSERT_EQ(
        films.evaluate(out, "--evidence --set runtime.answers=" + std::string(together)).exit_code,
        0);
    const auto expected = films.rows("alone");
    const auto rows = films.rows(out);
    ASSERT_EQ(rows.size(), expected.size());
    for (size_t film = 0; film < rows.size(); ++film) {
      for (size_t i = 0; i < rows[film].results.size(); ++i) {
        EXPECT_EQ(rows[film].results[i].token_ids, expected[film].results[i].token_ids);
        EXPECT_EQ(rows[film].results[i].evidence->size(),
                  expected[film].results[i].evidence->size());
      }
    }
  }
}

TEST(Eval, TheStatusTellsThatARunIsRunningAndThatItWasStopped) {
  const Films films(200);
  const auto result =
      run("export MOVIECHAT_MODEL=" + shell_word(moviechat::testing::tiny_bundle().string()) +
          "; " + testing::program() + " " + films.eval("out") +
          " & until grep -q '\"state\": \"running\"' " + films.word("out/status.json") +
          " || ! kill -0 $!; do sleep 0.02; done; kill -INT $!; wait $!; echo $?");
  EXPECT_EQ(result.out, "130\n") << result.err;
  const auto status = nlohmann::json::parse(read_file(films / "out/status.json", "status"));
  EXPECT_EQ(status["state"], "stopped");
  EXPECT_EQ(status["videos"], 200);
  EXPECT_LT(status["done"], 200);
}

TEST(Eval, ManyQuestionsCostOneDecodeAndOneEncode) {
  Films films(1);
  std::string moments;
  for (int i = 0; i < 10; ++i) {
    moments += (i > 0 ? "," : "") + std::string("{\"question\": \"Now?\", \"time\": ") +
               std::to_string(2 * i) + "}";
  }
  films.annotate("1", R"([{"question": "a?"}, {"question": "b?"}, {"question": "c?"}])",
                 "[" + moments + "]");
  // Every frame is read by the plan, so that breakpoints need no frame that is not read anyway.
  const std::string every = " --set plan.frames=20";
  ASSERT_EQ(films.evaluate("many", every).exit_code, 0);
  ASSERT_EQ(films.evaluate("one", every + " --mode global").exit_code, 0);
  const auto many = films.rows("many")[0];
  const auto one = films.rows("one")[0];
  ASSERT_EQ(many.results.size(), 13U);
  EXPECT_EQ(many.counts.frames_decoded, 20);
  EXPECT_EQ(many.counts.frames_encoded, 20);
  EXPECT_EQ(many.counts.seeks, 0);
  EXPECT_EQ(many.counts.frames_decoded, one.counts.frames_decoded);
  EXPECT_EQ(many.counts.frames_encoded, one.counts.frames_encoded);
}

TEST(Eval, BreakpointsAreTimedByTheirFrameEvenAtAChangingRate) {
  Films films(1);
  // Frames 0-9 at 10 a second, then 10-19 at 2 a second: frame 12 comes at 1 + 2·0.5 s.
  ASSERT_EQ(run("cd " + films.word("videos") +
                " && ffmpeg -v error -y -f lavfi -i testsrc2=s=64x48:r=10:d=2 -vf "
                "\"setpts='if(lt(N,10),N/10,1+(N-10)/2)/TB'\" -vsync vfr -enc_time_base 1/1000 "
                "-c:v libx264 -bf 2 1.mkv && rm 1.mp4")
                .exit_code,
            0);
  films.annotate("1", "[]", R"([{"time": 12, "question": "What?"}, {"time": 4, "question": "What?"},
                               {"time": 900, "question": "What?"}])");
  const auto result = films.evaluate("out");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto row = films.rows("out")[0];
  EXPECT_DOUBLE_EQ(*row.results[0].at, 2.0);
  EXPECT_NEAR(*row.results[1].at, 0.4, 1e-9);
  EXPECT_EQ(row.results[2].frame, 900);  // beyond the film: its end, and a warning
  EXPECT_THAT(result.err, AllOf(HasSubstr("frame 900 is not in"), HasSubstr("its last one")));
}

TEST(Eval, AMomentBeyondTheEndIsTheEndAndCostsNoOtherAnswer) {
  const Films films(1);
  write_file(films / "q.jsonl",
             "{\"video\": \"1.mp4\", \"question\": \"What?\", \"at\": 99999}\n"
             "{\"video\": \"1.mp4\", \"question\": \"What?\", \"at\": 2}\n");
  const auto result =
      testing::moviechat("eval --dataset jsonl --annotations " + films.word("q.jsonl") +
                         " --videos " + films.word("videos") + " --out " + films.word("out") +
                         " --plan uniform:4 --max-new-tokens 6");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("moment 99999 s is beyond"), HasSubstr("its end is taken")));
  const auto row = films.rows("out")[0];
  EXPECT_EQ(row.results[0].at, 2);
  EXPECT_EQ(row.results[0].token_ids, row.results[1].token_ids);
}

TEST(Eval, AStatusThatCannotBeWrittenFailsNoFilm) {
  const Films films(1);
  ASSERT_EQ(films.evaluate("whole").exit_code, 0);
  fs::create_directories(films / "out/status.json");  // no file can take the place of a folder
  const auto result = films.evaluate("out");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("warning: cannot write"));
  EXPECT_EQ(films.predictions("out"), films.predictions("whole"));
}

TEST(Eval, AVideoThatCannotBeReadHasARowAndTheRunGoesOn) {
  Films films(3);
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

TEST(Eval, AQuestionThatCannotBeAskedCostsNoOtherAnswer) {
  Films films(2);
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

TEST(Eval, ARunIsNotMixedWithAnother) {
  const Films films(2);
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

TEST(Eval, ShardsPutTogetherAreTheWholeByteForByte) {
  Films films(10);
  fs::remove(films / "videos/4.mp4");  // a failure is the same in a shard
  ASSERT_EQ(films.evaluate("whole", "--format moviechat").exit_code, 3);
  std::string shards;
  for (int i = 1; i <= 7; ++i) {
    const std::string name = "shard" + std::to_string(i);
    films.evaluate(name, "--shard " + std::to_string(i) + "/7");
    shards = films.word(name) + " " + shards;  // in any order
  }
  const auto merged =
      testing::moviechat("merge " + shards + "--format moviechat --out " + films.word("merged"));
  EXPECT_EQ(merged.exit_code, 3) << merged.err;
  EXPECT_THAT(merged.out, HasSubstr("10 videos, 30 questions"));
  for (const char* name : {"/predictions.jsonl", "/manifest.json", "/moviechat_global.json",
                           "/moviechat_breakpoint.json"}) {
    EXPECT_EQ(read_file(films / ("merged" + std::string(name)), "file"),
              read_file(films / ("whole" + std::string(name)), "file"))
        << name;
  }
  // A merge that was killed before it had written all is begun again.
  fs::remove(films / "merged/manifest.json");
  const std::string again = "merge " + shards + "--format moviechat --out " + films.word("merged");
  EXPECT_EQ(testing::moviechat(again).exit_code, 3);
  EXPECT_EQ(testing::moviechat(again).exit_code, 2);  // it is there already
  // A merged run is a run: what failed can be asked about again.
  fs::copy_file(films / "videos/1.mp4", films / "videos/4.mp4");
  EXPECT_EQ(films.evaluate("merged", "--retry-failed").exit_code, 0);

  const auto refused = [&](const std::string& folders) {
    const auto result = testing::moviechat("merge " + folders + " --out " + films.word("no"));
    EXPECT_EQ(result.exit_code, 2);
    return result.err;
  };
  const std::string one = films.word("shard1");
  EXPECT_THAT(refused(one), HasSubstr("shard 2/7 is missing"));
  EXPECT_THAT(refused(shards + one), HasSubstr("are both shard 1/7"));
  films.evaluate("other", "--shard 1/7 --seed 5");
  EXPECT_THAT(refused(one + " " + films.word("other")), HasSubstr("settings.generation.seed"));
  EXPECT_THAT(refused(films.word("videos")), HasSubstr("holds no run"));
  std::ofstream(films / "shard3/predictions.jsonl", std::ios::trunc).close();
  EXPECT_THAT(refused(shards), HasSubstr("has 0 of its 2 videos; finish it with --resume"));
}

TEST(Eval, WithoutAFilmOnlyTheQuestionIsRead) {
  Films films(2);
  fs::remove_all(films / "videos");
  const auto result =
      testing::moviechat("eval --dataset moviechat-1k --annotations " + films.word("annotations") +
                         " --out " + films.word("out") + " --profile text --max-new-tokens 6");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto rows = films.rows("out");
  EXPECT_FALSE(rows[0].video_info);
  EXPECT_EQ(rows[0].counts.frames_decoded, 0);
  EXPECT_EQ(rows[0].results[2].mode, eval::Mode::breakpoint);
  EXPECT_EQ(rows[0].results[1].token_ids, rows[1].results[1].token_ids);  // nothing else is known
  EXPECT_FALSE(rows[0].results[0].answer->empty());
}

/// 40 frames of features as numpy's save() writes them.
std::string features_file() {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 17, 48), }";
  header.resize(117, ' ');
  std::string text = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n";
  for (int i = 0; i < 40 * 17 * 48; ++i) {
    const auto value = static_cast<float>(i % 97) / 97;
    text.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  return text;
}

TEST(Eval, FeaturesAreAskedByTheAnnotatedFilmsTime) {
  Films films(1);
  fs::create_directories(films / "features");
  write_file(films / "features/1.npy", features_file());
  write_file(films / "annotations/1.json",
             R"({"info": {"video_path": "1.mp4", "fps": 25, "num_frame": 1000},
                 "global": [{"question": "Who?"}], "breakpoint": [{"time": 500, "question": "What?"}]})");
  const auto result =
      testing::moviechat("eval --dataset moviechat-1k --annotations " + films.word("annotations") +
                         " --features " + films.word("features") + " --out " + films.word("out") +
                         " --plan uniform:8 --set memory.consolidation=never --max-new-tokens 5");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto row = films.rows("out")[0];
  EXPECT_EQ(row.video_info->duration, 40);
  EXPECT_EQ(row.results[1].at, 20);
  EXPECT_EQ(row.counts.frames_decoded, 0);
  EXPECT_EQ(row.counts.frames_encoded, 8);
}

TEST(Eval, EvidenceIsInTheRows) {
  const Films films(1);
  ASSERT_EQ(films.evaluate("out", "--evidence").exit_code, 0);
  EXPECT_FALSE(films.rows("out")[0].results[0].evidence->empty());
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
TEST(Eval, AKilledRunGoesOnAsIfNothingHadBeen) {
  const char* wished = std::getenv("MOVIECHAT_TEST_KILLS");
  const int kills = wished != nullptr ? std::atoi(wished) : 20;
  const Films films(14 * kills);  // rows come in bursts, of films that are answered together
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

TEST(Eval, WhatIsMissingOrContradictsItselfIsNamed) {
  const Films films(1);
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
