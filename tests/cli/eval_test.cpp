// moviechat eval and merge as a user meets them: whole runs over short films with the tiny bundle.

#include <gmock/gmock.h>

#include <fstream>
#include "base/json.h"

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

TEST(Eval, EveryQuestionOfEveryFilmIsAnsweredInOnePass) {
  const EvalFilms films(3);
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
      "--json --plan uniform:4 --set memory.policy=keep_all "
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

TEST(Eval, EveryByteIsTheSameWithAnyNumberOfThreads) {
  const EvalFilms films(3);
  const std::string model = "--evidence --model " + shell_word(testing::shipped_bundle().string());
  ASSERT_EQ(films.evaluate("one", model + " --threads 1").exit_code, 0);
  for (const char* threads : {"0", "2", "3"}) {
    const std::string out = "with" + std::string(threads);
    ASSERT_EQ(films.evaluate(out, model + " --threads " + threads).exit_code, 0);
    EXPECT_EQ(films.predictions(out), films.predictions("one")) << threads << " threads";
  }
}

TEST(Eval, AnswersAreTheSameHoweverManyAreDecodedTogether) {
  const EvalFilms films(5);
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
  const EvalFilms films(200);
  const auto result =
      // A shell starts what runs in the background with SIGINT ignored; env undoes that.
      run("export MOVIECHAT_MODEL=" + shell_word(moviechat::testing::tiny_bundle().string()) +
          "; env --default-signal=INT " + testing::program() + " " + films.eval("out") +
          " & until grep -q '\"state\": \"running\"' " + films.word("out/status.json") +
          " || ! kill -0 $!; do sleep 0.02; done; kill -INT $!; wait $!; echo $?");
  EXPECT_EQ(result.out, "130\n") << result.err;
  const auto status = nlohmann::json::parse(read_file(films / "out/status.json", "status"));
  EXPECT_EQ(status["state"], "stopped");
  EXPECT_EQ(status["videos"], 200);
  EXPECT_LT(status["done"], 200);
}

TEST(Eval, ManyQuestionsCostOneDecodeAndOneEncode) {
  EvalFilms films(1);
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
  EvalFilms films(1);
  // Frames 0-9 at 10 a second, then 10-19 at 2 a second: frame 12 comes at 1 + 2·0.5 s.
  ASSERT_EQ(run("cd " + films.word("videos") +
                " && ffmpeg -v error -y -f lavfi -i testsrc2=s=64x48:r=10:d=2 -vf "
                "\"setpts='if(lt(N,10),N,10+(N-10)*5)'\" -fps_mode vfr -enc_time_base 1/1000 "
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
  const EvalFilms films(1);
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

TEST(Eval, ShardsPutTogetherAreTheWholeByteForByte) {
  EvalFilms films(10);
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
  EvalFilms films(2);
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

TEST(Eval, FeaturesAreAskedByTheAnnotatedFilmsTime) {
  EvalFilms films(1);
  fs::create_directories(films / "features");
  write_file(films / "features/1.npy", testing::features_file());
  write_file(films / "annotations/1.json",
             R"({"info": {"video_path": "1.mp4", "fps": 25, "num_frame": 1000},
                 "global": [{"question": "Who?"}], "breakpoint": [{"time": 500, "question": "What?"}]})");
  const auto result =
      testing::moviechat("eval --dataset moviechat-1k --annotations " + films.word("annotations") +
                         " --features " + films.word("features") + " --out " + films.word("out") +
                         " --plan uniform:8 --set memory.policy=keep_all --max-new-tokens 5");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto row = films.rows("out")[0];
  EXPECT_EQ(row.video_info->duration, 40);
  EXPECT_EQ(row.results[1].at, 20);
  EXPECT_EQ(row.counts.frames_decoded, 0);
  EXPECT_EQ(row.counts.frames_encoded, 8);
}

TEST(Eval, EvidenceIsInTheRows) {
  const EvalFilms films(1);
  ASSERT_EQ(films.evaluate("out", "--evidence").exit_code, 0);
  EXPECT_FALSE(films.rows("out")[0].results[0].evidence->empty());
}

}  // namespace
}  // namespace moviechat::cli
