#include "eval/prediction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include "base/json.h"

#include "moviechat/error.h"
#include "support_for_tests/paths.h"

namespace moviechat::eval {
namespace {

using ::testing::HasSubstr;

Prediction sample() {
  Prediction prediction;
  prediction.index = 3;
  prediction.video = "1.mp4";
  prediction.id = "1";
  prediction.file = "films/1.mkv";
  prediction.video_info = {10.5, 23.976, 252};
  Result result;
  result.id = "1/b0";
  result.mode = Mode::breakpoint;
  result.question = "What \"now\"?\n";
  result.reference = "A cup";
  result.at = 5.005;
  result.frame = 120;
  result.answer = "A caf\xC3\xA9.";
  result.token_ids = {5, 6, 2};
  result.finish_reason = FinishReason::eos;
  result.prompt_tokens = 90;
  result.answer_tokens = 3;
  result.evidence = {{Seconds(1.0), Seconds(2.5), 0.25}};
  prediction.results = {result};
  prediction.counts = {
      .frames_decoded = 8, .frames_encoded = 8, .seeks = 1, .blocks_long = 2, .blocks_short = 4};
  return prediction;
}

TEST(Predictions, ALineHasThePromisedKeys) {
  const auto json = nlohmann::json::parse(to_line(sample()));
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["index"], 3);
  EXPECT_EQ(json["video"], "1.mp4");
  EXPECT_EQ(json["file"], "films/1.mkv");
  EXPECT_TRUE(json["error"].is_null());
  EXPECT_EQ(json["video_info"]["frames"], 252);
  const auto& result = json["results"][0];
  EXPECT_EQ(result["mode"], "breakpoint");
  EXPECT_EQ(result["at"], 5.005);
  EXPECT_EQ(result["frame"], 120);
  EXPECT_TRUE(result["category"].is_null());
  EXPECT_EQ(result["token_ids"], nlohmann::json({5, 6, 2}));
  EXPECT_EQ(result["evidence"][0]["score"], 0.25);
  EXPECT_EQ(json["counts"]["blocks_short"], 4);
}

TEST(Predictions, WhatIsReadBackIsWrittenTheSame) {
  Prediction failed;
  failed.video = "2.mp4";
  failed.error = "no such file";
  failed.results.emplace_back().question = "Who?";
  Prediction partly = sample();
  partly.results.emplace_back().error = "too long";
  for (const Prediction& prediction : {sample(), failed, partly}) {
    const std::string line = to_line(prediction);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(to_line(parse_prediction(line, "x")), line);
  }
}

TEST(Predictions, WhatFailedIsAFilmOrSomeOfItsQuestions) {
  Prediction row = sample();
  EXPECT_TRUE(failures_of(row).empty());
  row.results.emplace_back().id = "1/g7";
  row.results.back().error = "too long";
  ASSERT_EQ(failures_of(row).size(), 1U);
  EXPECT_EQ(failures_of(row)[0].what, "'1.mp4' 1/g7");
  EXPECT_FALSE(failures_of(row)[0].whole_film);
  row.error = "torn file";
  ASSERT_EQ(failures_of(row).size(), 1U);
  EXPECT_EQ(failures_of(row)[0].what, "'1.mp4'");
  EXPECT_TRUE(failures_of(row)[0].whole_film);
}

TEST(Predictions, FileAndLineOfAMistakeAreNamed) {
  const moviechat::testing::TemporaryFolder folder;
  std::ofstream(folder / "p.jsonl") << to_line(sample()) << "\n{\"schema_version\": 1}\n";
  try {
    read_predictions(folder / "p.jsonl");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("p.jsonl' line 2 is no prediction"));
  }
  EXPECT_THROW(parse_prediction("{\"schema_version\": 2}", "x"), InputError);
}

}  // namespace
}  // namespace moviechat::eval
