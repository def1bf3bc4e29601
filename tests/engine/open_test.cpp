// An engine as another program opens it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "moviechat/moviechat.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
namespace fs = std::filesystem;

fs::path mini() { return testing::source_dir() / "models" / "mini"; }

TEST(OpenEngine, TakesTheBundlesDefaultsThenTheProfileThenWhatIsGiven) {
  EXPECT_EQ(Engine::open(mini()).settings().generation.max_new_tokens, 100);  // its model.yaml
  const Engine engine = Engine::open(
      mini(), {.profile = "uniform",
               .settings = {{"plan.frames", "12", ""}, {"generation.max_new_tokens", "9", ""}}});
  EXPECT_EQ(engine.settings().memory.policy, Policy::keep_all);
  EXPECT_EQ(engine.settings().plan.frames, 12);
  EXPECT_EQ(engine.settings().generation.max_new_tokens, 9);
  EXPECT_EQ(engine.bundle().name, "mini");
}

TEST(OpenEngine, ABundlesOwnProfileIsStrongerThanTheProgramsOfThatName) {
  const testing::TemporaryFolder folder;
  for (const auto& entry : fs::directory_iterator(mini())) {
    fs::create_symlink(entry.path(), folder / entry.path().filename().string());
  }
  fs::create_directory(folder / "profiles");
  write_file(folder / "profiles" / "uniform.yaml", "plan:\n  kind: uniform\n  frames: 5\n");
  write_file(folder / "profiles" / "brief.yaml", "generation:\n  max_new_tokens: 7\n");
  EXPECT_EQ(
      Engine::open(folder.path(), {.profile = "uniform", .settings = {}}).settings().plan.frames,
      5);
  EXPECT_EQ(Engine::open(folder.path(), {.profile = "brief", .settings = {}})
                .settings()
                .generation.max_new_tokens,
            7);
  EXPECT_THAT(
      ([&] { Engine::open(folder.path(), {.profile = "no", .settings = {}}); }),
      ThrowsMessage<InputError>(HasSubstr("there are: brief, paper, released, text, uniform")));
}

/// Files of interface version 1, before rows shared prefixes: models/mini as it was first shipped.
TEST(OpenEngine, ABundleOfAnOlderInterfaceGivesTheSameAnswers) {
  const testing::TemporaryFolder folder;
  for (const auto& entry : fs::directory_iterator(mini())) {
    fs::copy_file(entry.path(), folder / entry.path().filename().string());
  }
  for (const char* file : {"language_model.pt", "model.yaml"}) {
    fs::copy_file(testing::source_dir() / "tests" / "data" / "interface_1" / file, folder / file,
                  fs::copy_options::overwrite_existing);
  }
  std::vector<Question> questions = {{"What appears only briefly?", {}, {}},
                                     {"What happens?", {}, {}},
                                     {"What is on screen?", Seconds(7), {}}};
  for (const char* beams : {"1", "3"}) {
    const EngineOptions options{
        .profile = "uniform",
        .settings = {{"plan.frames", "24", ""}, {"generation.beams", beams, ""}}};
    const Engine now = Engine::open(mini(), options);
    const Engine then = Engine::open(folder.path(), options);
    EXPECT_EQ(then.bundle().interface_version, 1);
    RunOptions run;
    run.evidence = true;
    const RunResult expected = now.ask(mini() / "sample.mp4", questions, run);
    const RunResult answered = then.ask(mini() / "sample.mp4", questions, run);
    for (size_t i = 0; i < questions.size(); ++i) {
      EXPECT_EQ(answered.answers[i].token_ids, expected.answers[i].token_ids);
      ASSERT_EQ(answered.answers[i].evidence.size(), expected.answers[i].evidence.size());
      for (size_t e = 0; e < expected.answers[i].evidence.size(); ++e) {
        EXPECT_NEAR(answered.answers[i].evidence[e].score, expected.answers[i].evidence[e].score,
                    1e-5);
      }
    }
  }
}

TEST(OpenEngine, ASettingThatCannotBeNamesWhereItComesFrom) {
  EXPECT_THAT(
      ([] {
        Engine::open(mini(), {.profile = "", .settings = {{"memory.keep", "0", "my.yaml"}}});
      }),
      ThrowsMessage<InputError>("my.yaml: memory.keep must be 1 to 65536, got 0"));
}

TEST(OpenEngine, TwoEnginesInOneProcessAnswerAsEachAlone) {
  const std::vector<Question> questions = {{"What appears only briefly?", {}, {}}};
  const Engine memory = Engine::open(mini());
  const Engine baseline = Engine::open(mini(), {.profile = "text", .settings = {}});
  const std::string with_film = memory.ask(mini() / "sample.mp4", questions).answers[0].text;
  const std::string without = baseline.ask("", questions).answers[0].text;
  EXPECT_EQ(with_film, "A red heart.");
  EXPECT_EQ(memory.ask(mini() / "sample.mp4", questions).answers[0].text, with_film);
  EXPECT_EQ(baseline.ask("", questions).answers[0].text, without);
}

}  // namespace
}  // namespace moviechat
