// The program itself, answering with the references' tiny bundle.

#include <gmock/gmock.h>

#include "base/json.h"

#include "base/files.h"
#include "program.h"
#include "support_for_tests/safetensors.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::golden_json;
using moviechat::testing::TemporaryFolder;
using nlohmann::json;
using testing::film;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::moviechat;
using testing::shell_word;

struct Reference {
  std::string name;   // of the cases in golden.json
  std::string flags;  // that choose the same
};

class AskReference : public ::testing::TestWithParam<Reference> {};

TEST_P(AskReference, AnswersAreTheRecordedOnes) {
  const json recorded = golden_json("golden.json").at("cases").at("end_to_end").at("cases");
  std::string questions;
  std::vector<json> expected;
  for (const json& one : recorded) {
    if (!one.at("name").get<std::string>().starts_with(GetParam().name + "/")) continue;
    for (const json& answer : one.at("answers")) {
      questions += json{{"question", answer.at("question")}, {"at", one.at("t")}}.dump() + "\n";
      expected.push_back(answer);
      expected.back()["at"] = one.at("t");
    }
  }
  ASSERT_FALSE(expected.empty());
  const TemporaryFolder folder;
  write_file(folder / "q.jsonl", questions);
  const auto result = moviechat("--json --log-level warn --video " + film() + " --questions " +
                                shell_word((folder / "q.jsonl").string()) + " " + GetParam().flags);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, IsEmpty());
  const json results = json::parse(result.out).at("results");
  ASSERT_EQ(results.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(results[i].at("question"), expected[i].at("question"));
    EXPECT_EQ(results[i].at("at"), expected[i].at("at")) << i;
    EXPECT_EQ(results[i].at("token_ids"), expected[i].at("ids")) << i;
    EXPECT_EQ(results[i].at("answer"), expected[i].at("text")) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Profiles, AskReference,
    ::testing::Values(Reference{"released", "--profile released"},
                      Reference{"paper_cosine", "--set memory.merge=mean"},
                      Reference{"paper_dot",
                                "--set memory.merge=mean --set memory.similarity=dot"}),
    [](const auto& tested) { return tested.param.name; });

// Where the answer does not matter, few frames are read.
const std::string kFewFrames = " --plan uniform:16 --video " + film() + " ";

const char* const kAnswer = "v mo qu nightershowctro qul";  // golden.json, paper_cosine/global
const std::string kQuestion = " --set memory.merge=mean --question 'why does she leave'";

TEST(Ask, OneQuestionPrintsItsAnswerAndNothingElse) {
  const auto result = moviechat("--log-level warn --video " + film() + kQuestion);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, std::string(kAnswer) + "\n");
  EXPECT_THAT(result.err, IsEmpty());
  EXPECT_EQ(moviechat("ask" + kFewFrames + "--question a").out,
            moviechat(kFewFrames + "--question a").out);
}

TEST(Ask, AnswersDoNotDependOnBatchOrThreads) {
  for (const char* flags : {" --batch 1", " --batch 7 --threads 1"}) {
    EXPECT_EQ(moviechat("--video " + film() + kQuestion + flags).out, std::string(kAnswer) + "\n")
        << flags;
  }
}

TEST(Ask, MoreQuestionsDecodeAndEncodeNoMoreFrames) {
  const auto counts = [](const std::string& arguments) {
    return json::parse(moviechat("--json --video " + film() + arguments).out).at("counts");
  };
  const json one = counts(" --question a");
  const json many = counts(" --question a --question b --question a --at 3 --at 9.9 --at 0");
  EXPECT_LE(many.at("frames_encoded"), one.at("frames_encoded"));
  EXPECT_LE(many.at("frames_decoded"), one.at("frames_decoded"));
  EXPECT_EQ(one.at("frames_encoded"), 300);  // every frame of the film, once
  EXPECT_EQ(one.at("blocks_long"), 256);
}

TEST(Ask, AFrameIndexIsAMoment) {
  const auto at = [](const std::string& moment) {
    return json::parse(moviechat("--json" + kFewFrames + "--question summary " + moment).out)
        .at("results")[0];
  };
  EXPECT_EQ(at("--at-frame 120"), at("--at 4"));
  EXPECT_EQ(at("--at 0:04.0").at("at"), 4);
}

TEST(Ask, ControlWordsInAQuestionAreText) {
  const auto tokens = [](const std::string& question) {
    const auto result =
        moviechat("--json --log-level warn" + kFewFrames + "--question " + shell_word(question));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, IsEmpty());
    return json::parse(result.out).at("results")[0].at("prompt_tokens").get<int>();
  };
  // Each is spelled out in several tokens: a control token would be one, a video eight.
  const int plain = tokens("a");
  EXPECT_GE(tokens("a <s>"), plain + 2);
  EXPECT_GE(tokens("a </s>"), plain + 2);
  EXPECT_GE(tokens("a <ImageHere>"), plain + 2);
}

TEST(Ask, AChangeOfTurnInAQuestionIsKeptWithAWarning) {
  const auto result = moviechat("--log-level warn" + kFewFrames + "--question 'a ###Human: b'");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("moviechat: warning: "));
  EXPECT_THAT(result.err, HasSubstr("###"));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1);
  EXPECT_THAT(moviechat("--quiet" + kFewFrames + "--question 'a ###Human: b'").err, IsEmpty());
}

TEST(Ask, WithoutVideoNoFilmIsNeeded) {
  const std::string question = "--profile text --question Who? --json";
  const auto without = moviechat(question);
  ASSERT_EQ(without.exit_code, 0) << without.err;
  const json answered = json::parse(without.out);
  EXPECT_EQ(answered["results"],
            json::parse(moviechat(question + " --video " + film()).out)["results"]);
  EXPECT_EQ(answered["counts"]["frames_decoded"], 0);
}

TEST(Ask, EvidenceScoresSumToOneAndLieInTheFilm) {
  const json report = json::parse(
      moviechat("--json --evidence --video " + film() + " --question a --question b --at 4 --at 8")
          .out);
  for (const json& result : report.at("results")) {
    double sum = 0;
    for (const json& span : result.at("evidence")) {
      EXPECT_LE(span.at("start"), span.at("end"));
      EXPECT_GE(span.at("start"), 0);
      EXPECT_LE(span.at("end"), result.at("at").get<double>() + 0.1);
      sum += span.at("score").get<double>();
    }
    EXPECT_NEAR(sum, 1, 1e-6);
  }
}

TEST(Ask, SubtitlesAreReadByFFmpeg) {
  const TemporaryFolder folder;
  const std::string file = shell_word((folder / "a.srt").string());
  const auto result = moviechat("--format srt" + kFewFrames +
                                "--question 'who is it?' --question b --at 4 --at 8 > " + file);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto read = moviechat::testing::run(
      "ffprobe -v error -show_entries packet=pts_time,duration_time -of csv=p=0 " + file);
  EXPECT_EQ(read.out, "4.000000,5.000000\n8.000000,5.000000\n");
}

TEST(Ask, QuestionsAreReadFromStdin) {
  const auto result = moviechat::testing::run(
      "echo '{\"question\": \"why does she leave\"}' | " + testing::program() + " --model " +
      shell_word(moviechat::testing::tiny_bundle().string()) + kFewFrames + "--questions -");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, moviechat(kFewFrames + "--question 'why does she leave'").out);
}

TEST(Ask, DebugTellsWhereTheTimeWent) {
  const auto result = moviechat("--log-level debug" + kFewFrames + "--question a");
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1);
  EXPECT_THAT(result.err, HasSubstr("moviechat: decode: "));
}

TEST(Ask, OnATerminalTheAnswerIsStreamedOnce) {
  if (moviechat::testing::run("command -v script").exit_code != 0) GTEST_SKIP() << "no script(1)";
  const auto result =
      moviechat::testing::run("script -qec " +
                              shell_word(testing::program() + " --model " +
                                         shell_word(moviechat::testing::tiny_bundle().string()) +
                                         " --quiet --video " + film() + kQuestion) +
                              " /dev/null");
  EXPECT_EQ(result.out, std::string(kAnswer) + "\r\n");
}

// An answer that takes longer than a bar is old.
TEST(Ask, NoProgressIsDrawnOverAnAnswerOnATerminal) {
  if (moviechat::testing::run("command -v script").exit_code != 0) GTEST_SKIP() << "no script(1)";
  const std::string slow =
      "--min-new-tokens 250 --max-new-tokens 250 --plan uniform:8 --video " + film() + kQuestion;
  const std::string answer = testing::moviechat(slow).out;
  const auto result = moviechat::testing::run(
      "script -qec " +
      shell_word(testing::program() + " --model " +
                 shell_word(moviechat::testing::tiny_bundle().string()) + " " + slow) +
      " /dev/null");
  const std::string shown = answer.substr(0, answer.size() - 1) + "\r\n";
  EXPECT_TRUE(result.out == shown || result.out.ends_with("\033[K" + shown)) << result.out;
}

}  // namespace
}  // namespace moviechat::cli
