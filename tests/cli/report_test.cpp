#include "cli/report.h"

#include <gmock/gmock.h>

namespace moviechat::cli {
namespace {

using ::testing::ElementsAre;

Answer answer(const std::string& question, const std::string& text,
              std::optional<Seconds> at = {}) {
  Answer made;
  made.question.text = question;
  made.text = text;
  made.at = at;
  made.token_ids = {5, 2};
  made.prompt_tokens = 40;
  made.answer_tokens = 2;
  return made;
}

RunReport report() {
  RunReport made;
  made.bundle_name = "tiny";
  made.bundle_sha256 = "abc";
  made.video = "film.mp4";
  made.run.video.duration = Seconds(90.5);
  made.run.video.fps = {30000, 1001};
  made.run.video.frames = 2712;
  made.run.answers = {answer("What?", "a cat"), answer("When?", "at\nnoon", Seconds(61.25))};
  made.run.stages = {{"decode", 0.5, {}, {}}, {"answer", 0.25, {}, {}}};
  made.settings.generation.seed = 7;
  return made;
}

RunReport report_with_evidence() {
  RunReport made = report();
  made.evidence = true;
  made.run.answers[0].evidence = {{Seconds(60), Seconds(80), 0.75},
                                  {Seconds(2), Seconds(3.5), 0.25}};
  made.run.answers.resize(1);
  return made;
}

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

TEST(Report, OneAnswerIsPrintedAsItIs) {
  RunReport one = report();
  one.run.answers = {answer("When?", "at\nnoon")};
  EXPECT_EQ(format_text(one), "at\nnoon\n");
}

TEST(Report, SeveralAnswersHaveALineEach) { EXPECT_EQ(format_text(report()), "a cat\nat noon\n"); }

TEST(Report, EvidenceStandsBelowItsAnswer) {
  EXPECT_EQ(format_text(report_with_evidence()),
            "a cat\n  [0:01:00.000 - 0:01:20.000] 0.750\n  [0:00:02.000 - 0:00:03.500] 0.250\n");
}

TEST(Report, JsonHasThePromisedKeysInTheirOrder) {
  const Json json = report_json(report());
  EXPECT_THAT(keys(json),
              ElementsAre("schema_version", "version", "bundle", "video", "profile", "plan",
                          "results", "counts", "seconds", "peak_memory_bytes", "seed"));
  EXPECT_THAT(keys(json["bundle"]), ElementsAre("name", "sha256"));
  EXPECT_THAT(keys(json["video"]), ElementsAre("path", "duration", "fps", "frames"));
  EXPECT_THAT(keys(json["results"][0]),
              ElementsAre("question", "mode", "at", "answer", "token_ids", "finish_reason",
                          "prompt_tokens", "answer_tokens"));
  EXPECT_THAT(keys(json["counts"]), ElementsAre("frames_decoded", "frames_encoded", "seeks",
                                                "blocks_long", "blocks_short"));
  EXPECT_THAT(keys(json["seconds"]), ElementsAre("decode", "answer"));
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["results"][0]["mode"], "global");
  EXPECT_TRUE(json["results"][0]["at"].is_null());
  EXPECT_EQ(json["results"][1]["mode"], "breakpoint");
  EXPECT_EQ(json["results"][1]["at"], 61.25);
  EXPECT_EQ(json["results"][1]["answer"], "at\nnoon");
  EXPECT_NEAR(json["video"]["fps"].get<double>(), 29.97, 1e-3);
  EXPECT_EQ(json["seed"], 7);
}

TEST(Report, JsonHasEvidenceOnlyWhenAskedFor) {
  const Json json = report_json(report_with_evidence());
  const Json& evidence = json["results"][0]["evidence"];
  ASSERT_EQ(evidence.size(), 2U);
  EXPECT_THAT(keys(evidence[0]), ElementsAre("start", "end", "score"));
  EXPECT_EQ(evidence[0]["start"], 60);
  EXPECT_EQ(evidence[0]["score"], 0.75);
}

TEST(Report, MalformedTextIsReplacedInJson) {
  RunReport odd = report();
  odd.video = "film\xff.mp4";
  EXPECT_EQ(Json::parse(printed(report_json(odd)))["video"]["path"], "film\xEF\xBF\xBD.mp4");
}

TEST(Report, JsonLinesAreOneObjectForEachQuestion) {
  const std::string lines = format_jsonl(report());
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  const Json first = Json::parse(lines.substr(0, lines.find('\n')));
  EXPECT_THAT(keys(first), ElementsAre("video", "question", "mode", "at", "answer", "token_ids",
                                       "finish_reason", "prompt_tokens", "answer_tokens"));
}

TEST(Report, SubtitlesCoverTheFilmOrTheMoment) {
  EXPECT_EQ(format_srt(report()),
            "1\n00:00:00,000 --> 00:01:30,500\nWhat?\na cat\n\n"
            "2\n00:01:01,250 --> 00:01:06,250\nWhen?\nat noon\n");
}

TEST(Report, SubtitlesWithEvidenceCoverItsSpansInTimeOrder) {
  EXPECT_EQ(format_srt(report_with_evidence()),
            "1\n00:00:02,000 --> 00:00:03,500\nWhat?\na cat\n\n"
            "2\n00:01:00,000 --> 00:01:20,000\nWhat?\na cat\n");
}

}  // namespace
}  // namespace moviechat::cli
