#include "moviechat/engine.h"
#include "bundle/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "moviechat/error.h"
#include "support_for_tests/device.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/safetensors.h"

namespace moviechat {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const Bundle> tiny() {
  static const auto bundle =
      std::make_shared<const Bundle>(read_bundle_spec(testing::tiny_bundle()),
                                     testing::test_device(), torch::kFloat, Verify::quick);
  return bundle;
}

/// What the references were recorded with: greedy, plain mean, and as many new tokens as they have.
Settings reference_settings(const nlohmann::json& reference) {
  Settings settings;
  settings.memory.merge = Merge::mean;
  settings.generation.temperature = 0;
  if (reference.at("profile") == "released") {
    settings.plan.kind = PlanKind::released;
    settings.plan.breakpoint = BreakpointRule::inference;
    settings.memory.policy = Policy::per_clip;
    settings.memory.similarity = Similarity::dot;
  } else {
    settings.memory.similarity =
        reference.at("similarity") == "dot" ? Similarity::dot : Similarity::cosine;
  }
  return settings;
}

std::vector<Question> reference_questions(const nlohmann::json& reference) {
  std::vector<Question> questions;
  for (const auto& answer : reference.at("answers")) {
    Question question{answer.at("question"), {}, {}};
    if (!reference.at("t").is_null()) question.at = Seconds(reference.at("t").get<double>());
    questions.push_back(question);
  }
  return questions;
}

RunResult ask(const Settings& settings, const std::vector<Question>& questions,
              RunOptions options = {}) {
  return Engine(tiny(), settings).ask(testing::golden("clip.avi"), questions, options, {});
}

class EndToEnd : public ::testing::TestWithParam<nlohmann::json> {};

TEST_P(EndToEnd, AnswersAsTheReferenceDoes) {
  const nlohmann::json& reference = GetParam();
  const RunResult result = ask(reference_settings(reference), reference_questions(reference));
  for (size_t i = 0; i < result.answers.size(); ++i) {
    const auto& expected = reference.at("answers").at(i);
    EXPECT_EQ(result.answers[i].token_ids, expected.at("ids").get<std::vector<int64_t>>())
        << expected.at("question");
    EXPECT_EQ(result.answers[i].text, expected.at("text").get<std::string>());
  }
  if (reference.at("mode") == "global") {
    EXPECT_EQ(result.counts.blocks_long, reference.at("long").get<int64_t>());
    EXPECT_EQ(result.counts.frames_decoded, 300);
  }
  EXPECT_EQ(result.counts.seeks, 0);
  EXPECT_LE(result.counts.frames_encoded, 300);
}

INSTANTIATE_TEST_SUITE_P(Golden, EndToEnd,
                         ::testing::ValuesIn(testing::golden_json("golden.json")
                                                 .at("cases")
                                                 .at("end_to_end")
                                                 .at("cases")
                                                 .get<std::vector<nlohmann::json>>()),
                         [](const auto& info) {
                           std::string name = info.param.at("name").template get<std::string>();
                           std::replace_if(
                               name.begin(), name.end(),
                               [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

Settings short_answers() {
  Settings settings;
  settings.generation.max_new_tokens = 8;
  return settings;
}

std::vector<std::string> texts(const RunResult& result) {
  std::vector<std::string> all;
  for (const Answer& answer : result.answers) all.push_back(answer.text);
  return all;
}

TEST(Engine, OnePassServesManyQuestionsInAnyOrder) {
  const Question whole{"What happens?", {}, {}};
  const Question early{"What happens?", Seconds(2), {}};
  const Question late{"Who is she?", Seconds(8.5), {}};
  const RunResult together = ask(short_answers(), {late, whole, early, whole, late});
  const RunResult alone = ask(short_answers(), {whole});
  EXPECT_EQ(together.counts.frames_decoded, alone.counts.frames_decoded);
  EXPECT_EQ(together.counts.frames_encoded, alone.counts.frames_encoded);
  EXPECT_EQ(together.answers[1].token_ids, alone.answers[0].token_ids);
  EXPECT_EQ(together.answers[3].token_ids, alone.answers[0].token_ids);
  EXPECT_EQ(together.answers[0].token_ids, ask(short_answers(), {late}).answers[0].token_ids);
  EXPECT_EQ(together.answers[4].token_ids, together.answers[0].token_ids);
  EXPECT_EQ(together.answers[2].token_ids, ask(short_answers(), {early}).answers[0].token_ids);
}

TEST(Engine, AMomentsMemoryDoesNotDependOnWhatComesAfterIt) {
  const Question early{"What happens?", Seconds(2), {}};
  const RunResult result = ask(short_answers(), {early});
  EXPECT_LE(result.counts.frames_decoded, 63);  // 2 s at 30 fps, and what B-frames look ahead
}

TEST(Engine, TheBatchDoesNotChangeAnswers) {
  const std::vector<Question> questions = {{"What happens?", {}, {}},
                                           {"Who is she?", Seconds(5), {}}};
  Settings settings = short_answers();
  std::vector<std::vector<std::string>> all;
  for (const int64_t batch : {1, 3, 16, 300}) {
    settings.runtime.batch = batch;
    all.push_back(texts(ask(settings, questions)));
  }
  EXPECT_THAT(all, ::testing::Each(all.front()));
}

TEST(Engine, AFrameNumberIsTheMomentWhenThatFrameIsShown) {
  const RunResult result =
      ask(short_answers(), {{"What happens?", {}, 121}, {"What happens?", Seconds(121 / 30.), {}}});
  EXPECT_EQ(result.answers[0].token_ids, result.answers[1].token_ids);
  EXPECT_DOUBLE_EQ(result.answers[0].at->count(), 121 / 30.);
}

TEST(Engine, EvidenceIsInsideWhatWasWatchedAndSumsToOne) {
  RunOptions options;
  options.evidence = true;
  const RunResult result =
      ask(short_answers(), {{"What happens?", {}, {}}, {"Who is she?", Seconds(5), {}}}, options);
  const std::vector<double> latest = {10.0, 5.0};
  for (size_t i = 0; i < 2; ++i) {
    double sum = 0;
    ASSERT_FALSE(result.answers[i].evidence.empty());
    for (const Evidence& evidence : result.answers[i].evidence) {
      sum += evidence.score;
      EXPECT_LE(evidence.start, evidence.end);
      EXPECT_LE(evidence.end.count(), latest[i] + 0.05);
    }
    EXPECT_NEAR(sum, 1, 1e-6);
  }
  EXPECT_EQ(
      texts(result),
      texts(ask(short_answers(), {{"What happens?", {}, {}}, {"Who is she?", Seconds(5), {}}})));
}

TEST(Engine, EvidenceOfAMomentEndsThereHoweverFewFramesWereRead) {
  Settings settings = short_answers();
  settings.plan.kind = PlanKind::uniform;
  settings.plan.frames = 4;  // one every 2.5 s
  RunOptions options;
  options.evidence = true;
  const RunResult result = ask(settings, {{"Who is she?", Seconds(4), {}}}, options);
  ASSERT_FALSE(result.answers[0].evidence.empty());
  for (const Evidence& span : result.answers[0].evidence) EXPECT_LE(span.end, Seconds(4));
}

TEST(Engine, MoreFramesThanCanBeKeptApartAreRefusedBeforeTheyAreRead) {
  Settings settings = short_answers();
  settings.plan.kind = PlanKind::uniform;
  settings.plan.frames = 300;
  settings.memory.policy = Policy::keep_all;
  int64_t watched = 0;
  Callbacks callbacks;
  callbacks.progress = [&](const Progress& progress) { watched = progress.done; };
  EXPECT_THAT(([&] {
                Engine(tiny(), settings)
                    .ask(testing::golden("clip.avi"), {{"What?", {}, {}}}, {}, callbacks);
              }),
              ::testing::ThrowsMessage<InputError>(HasSubstr("frames of a film; lower")));
  EXPECT_EQ(watched, 0);
}

TEST(Engine, UniformPlanReadsOnlyItsFrames) {
  Settings settings = short_answers();
  settings.plan.kind = PlanKind::uniform;
  settings.plan.frames = 8;
  settings.memory.policy = Policy::keep_all;
  const RunResult result = ask(settings, {{"What happens?", {}, {}}});
  EXPECT_EQ(result.counts.frames_encoded, 8);
  EXPECT_EQ(result.counts.blocks_short, 8);
}

TEST(Engine, AMomentBeyondTheEndSaysHowLongTheFilmIs) {
  EXPECT_THAT(
      [] {
        ask(short_answers(), {{"What?", Seconds(12), {}}});
      },
      ::testing::ThrowsMessage<InputError>(HasSubstr("which is 10 s long")));
  EXPECT_THAT(
      [] {
        ask(short_answers(), {{"What?", {}, 300}});
      },
      ::testing::ThrowsMessage<InputError>(HasSubstr("has some 300 frames")));
  EXPECT_THROW(ask(short_answers(), {{"What?", Seconds(-1), {}}}), InputError);
}

TEST(Engine, ACancelledRunEnds) {
  CancelFlag cancel;
  Callbacks callbacks;
  callbacks.cancel = &cancel;
  callbacks.progress = [&](const Progress& progress) {
    if (progress.done > 20) cancel.cancel();
  };
  const Engine engine(tiny(), short_answers());
  EXPECT_THROW(engine.ask(testing::golden("clip.avi"), {{"What happens?", {}, {}}}, {}, callbacks),
               Cancelled);
}

}  // namespace
}  // namespace moviechat
