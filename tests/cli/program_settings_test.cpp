#include "cli/program_settings.h"

#include <gmock/gmock.h>

#include "base/files.h"
#include "cli/ask.h"
#include "cli/command_line.h"
#include "support_for_tests/paths.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::TemporaryFolder;
using moviechat::testing::tiny_bundle;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

SettingsGiven parse(const std::vector<std::string>& words) {
  CLI::App program;
  AskOptions options;
  parse_words(*add_ask(program, options), words);
  return options.settings;
}
MergedSettings merge(const std::vector<std::string>& words, Environment environment = {},
                     std::vector<std::string>* warnings = nullptr) {
  environment.try_emplace("MOVIECHAT_MODEL", tiny_bundle().string());
  return merge_settings(parse(words), environment, [&](const std::string& line) {
    if (warnings != nullptr) warnings->push_back(line);
  });
}
std::string refusal(const std::vector<std::string>& words, const Environment& environment = {}) {
  try {
    merge(words, environment);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ProgramSettings, TheLaterSourceIsTheStronger) {
  const TemporaryFolder folder;
  // A bundle whose defaults differ from what is built in, and a file over it.
  std::filesystem::copy(tiny_bundle(), folder / "bundle");
  std::string description = read_file(folder / "bundle" / "model.yaml", "description");
  const std::string before = "generation: {max_new_tokens: 300}";
  description.replace(description.find(before), before.size(),
                      "generation: {max_new_tokens: 11, top_k: 12, beams: 3, seed: 14}");
  write_file(folder / "bundle" / "model.yaml", description);
  write_file(folder / "my.yaml", "generation:\n  top_k: 22\n  beams: 4\n  seed: 24\n");

  const Environment environment = {{"MOVIECHAT_MODEL", (folder / "bundle").string()},
                                   {"MOVIECHAT_GENERATION_BEAMS", "5"},
                                   {"MOVIECHAT_GENERATION_SEED", "34"}};
  const GenerationOptions options =
      merge({"--config", (folder / "my.yaml").string(), "--seed", "44"}, environment)
          .chosen.settings.generation;
  EXPECT_EQ(options.max_new_tokens, 11);  // the bundle over built-in
  EXPECT_EQ(options.top_k, 22);           // the file over the bundle
  EXPECT_EQ(options.beams, 5);            // the environment over the file
  EXPECT_EQ(options.seed, 44);            // a flag over the environment
}

TEST(ProgramSettings, ANumberOutOfItsRangeIsRefusedWhateverWayItComes) {
  const TemporaryFolder folder;
  write_file(folder / "my.yaml", "plan:\n  window: 0\n");
  std::filesystem::copy(tiny_bundle(), folder / "bundle");
  std::string description = read_file(folder / "bundle" / "model.yaml", "description");
  const std::string before = "plan: {window: 8}";
  description.replace(description.find(before), before.size(), "plan: {window: 0}");
  write_file(folder / "bundle" / "model.yaml", description);
  const std::string wrong = "plan.window must be 1 to 10000000, got 0";
  EXPECT_EQ(refusal({"--set", "plan.window=0"}), "--set plan.window=0: " + wrong);
  EXPECT_EQ(refusal({}, {{"MOVIECHAT_PLAN_WINDOW", "0"}}), "MOVIECHAT_PLAN_WINDOW: " + wrong);
  const std::string config = (folder / "my.yaml").string();
  EXPECT_EQ(refusal({"--config", config}), "'" + config + "': " + wrong);
  const std::string bundle = (folder / "bundle").string();
  EXPECT_EQ(refusal({}, {{"MOVIECHAT_MODEL", bundle}}), "'" + bundle + "/model.yaml': " + wrong);
}

TEST(ProgramSettings, EveryNumberRefusesWhatNoneCanBe) {
  for (const FieldText& field : list_fields(Settings{})) {
    double number = 0;
    const auto end = field.value.data() + field.value.size();
    if (std::from_chars(field.value.data(), end, number).ptr != end) continue;  // a word
    for (const char* value : {"-9223372036854775808", "-1000000", "1e400", "nan"}) {
      EXPECT_NE(refusal({"--set", field.key + "=" + value}), "accepted") << field.key << value;
    }
    if (field.key == "generation.seed") continue;  // has no end
    EXPECT_NE(refusal({"--set", field.key + "=9223372036854775807"}), "accepted") << field.key;
  }
}

TEST(ProgramSettings, FlagsApplyInTheirOrder) {
  EXPECT_EQ(merge({"--seed", "1", "--set", "generation.seed=2"}).chosen.settings.generation.seed,
            2);
  EXPECT_EQ(merge({"--set", "generation.seed=2", "--seed", "1"}).chosen.settings.generation.seed,
            1);
}

TEST(ProgramSettings, ProfilesNameTheChoicesOfTheAlgorithm) {
  const Settings built_in = merge({}).chosen.settings;
  const Settings paper = merge({"--profile", "paper"}).chosen.settings;
  EXPECT_EQ(to_yaml(list_fields(built_in)), to_yaml(list_fields(paper)));
  EXPECT_EQ(merge({}).chosen.profile, "paper");

  const MergedSettings released = merge({"--profile", "released"});
  EXPECT_EQ(released.chosen.profile, "released");
  EXPECT_EQ(released.chosen.settings.plan.kind, PlanKind::released);
  EXPECT_EQ(released.chosen.settings.plan.clips, 128);
  EXPECT_EQ(released.chosen.settings.plan.breakpoint, BreakpointRule::inference);
  EXPECT_EQ(released.chosen.settings.memory.similarity, Similarity::dot);
  EXPECT_EQ(released.chosen.settings.memory.policy, Policy::per_clip);

  const Settings uniform = merge({"--profile", "uniform"}).chosen.settings;
  EXPECT_EQ(uniform.plan.kind, PlanKind::uniform);
  EXPECT_EQ(uniform.memory.policy, Policy::keep_all);
}

TEST(ProgramSettings, AProfileIsABaseForTheOtherSources) {
  const Environment environment = {{"MOVIECHAT_PROFILE", "released"},
                                   {"MOVIECHAT_PLAN_CLIPS", "32"}};
  const ProgramSettings chosen = merge({"--set", "memory.similarity=cosine"}, environment).chosen;
  EXPECT_EQ(chosen.profile, "released");
  EXPECT_EQ(chosen.settings.plan.clips, 32);
  EXPECT_EQ(chosen.settings.memory.similarity, Similarity::cosine);
}

TEST(ProgramSettings, AProfileThatTheConfigFileOverridesIsWarnedAbout) {
  const TemporaryFolder folder;
  const std::string file = (folder / "full.yaml").string();
  write_file(file, config_text(merge({}).chosen));
  std::vector<std::string> warnings;
  const auto chosen =
      merge({"--profile", "released", "--config", file}, {}, &warnings).chosen.settings;
  EXPECT_EQ(chosen.memory.similarity, Similarity::cosine);
  EXPECT_THAT(warnings,
              ElementsAre("'" + file +
                          "' overrides profile 'released': plan.kind, plan.clips, plan.breakpoint "
                          "and 3 more; leave them out of the file to have the profile's"));

  write_file(file, "memory: {similarity: cosine, keep: 2}\ngeneration: {seed: 3}\n");
  warnings.clear();
  merge({"--config", file}, {{"MOVIECHAT_PROFILE", "released"}}, &warnings);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("'released': memory.similarity; ")));

  warnings.clear();
  merge({"--profile", "released", "--config", file, "--set", "memory.similarity=dot"}, {},
        &warnings);
  EXPECT_THAT(warnings, ElementsAre());  // a flag has the last word
  write_file(file, "profile: released\nmemory: {similarity: cosine}\n");
  merge({"--config", file}, {}, &warnings);
  EXPECT_THAT(warnings, ElementsAre());  // the file means what it says
}

TEST(ProgramSettings, ThePlanShorthandReachesThePlanAlone) {
  const Settings settings = merge({"--plan", "uniform:8"}).chosen.settings;
  EXPECT_EQ(settings.plan.kind, PlanKind::uniform);
  EXPECT_EQ(settings.plan.frames, 8);
  EXPECT_EQ(settings.memory.policy, Policy::window);
  EXPECT_DOUBLE_EQ(merge({"--plan", "fps:0.5"}).chosen.settings.plan.rate, 0.5);
}

TEST(ProgramSettings, WhatIsPrintedReadsBackAsTheSame) {
  const TemporaryFolder folder;
  const ProgramSettings chosen =
      merge({"--profile", "released", "--temperature", "0.7", "--device", "cpu", "--set",
             "memory.keep=3", "--set", "plan.rate=0.1", "--verify", "quick", "--strict"})
          .chosen;
  const std::string text = config_text(chosen);
  write_file(folder / "printed.yaml", text);
  const ProgramSettings again =
      merge_settings(parse({"--config", (folder / "printed.yaml").string()}), {},
                     [](const std::string&) {})
          .chosen;
  EXPECT_EQ(config_text(again), text);
  EXPECT_EQ(again.settings.memory.keep, 3);
  EXPECT_EQ(again.profile, "released");
  EXPECT_TRUE(again.settings.video.strict);
  EXPECT_EQ(std::filesystem::path(again.model), std::filesystem::absolute(tiny_bundle()));
}

TEST(ProgramSettings, ABadValueNamesItsSource) {
  const TemporaryFolder folder;
  write_file(folder / "bad.yaml", "memory:\n  keep: [1\n");
  write_file(folder / "unknown.yaml", "memory:\n  kep: 3\n");
  write_file(folder / "wrong.yaml", "memory: {keep: much}\n");
  write_file(folder / "list.yaml", "memory: {keep: [1, 2]}\n");
  const auto with = [&](const char* file) {
    return refusal({"--config", (folder / file).string()});
  };
  EXPECT_THAT(with("bad.yaml"), HasSubstr("is not valid YAML: line"));
  EXPECT_THAT(with("unknown.yaml"), HasSubstr("did you mean 'memory.keep'?"));
  EXPECT_THAT(with("wrong.yaml"), HasSubstr("wrong.yaml': memory.keep must be an integer"));
  EXPECT_THAT(with("list.yaml"), HasSubstr("must be a single value"));
  EXPECT_THAT(with("missing.yaml"), HasSubstr("cannot read config file"));
  EXPECT_THAT(refusal({"--seed", "x"}), HasSubstr("--seed: generation.seed must be an integer"));
  EXPECT_THAT(refusal({"--set", "memory.kepe=3"}), HasSubstr("did you mean 'memory.keep'?"));
  EXPECT_THAT(refusal({"--set", "memory.keep"}), HasSubstr("KEY=VALUE"));
  EXPECT_THAT(refusal({"--set", "=3"}), HasSubstr("KEY=VALUE"));
  EXPECT_THAT(refusal({"--set", "memory.keep=18"}), HasSubstr("memory."));
  EXPECT_THAT(refusal({"--profile", "papre"}),
              HasSubstr("unknown profile 'papre'; there are: paper, released, text, uniform"));
  EXPECT_THAT(refusal({"--profile", "../configs/paper"}), HasSubstr("unknown profile"));
  EXPECT_THAT(refusal({"--plan", "uniform:x"}), HasSubstr("--plan: "));
  EXPECT_THAT(refusal({}, {{"MOVIECHAT_RUNTIME_BATCH", "0"}}), HasSubstr("runtime.batch"));
  EXPECT_THAT(refusal({}, {{"MOVIECHAT_GENERATION_SEED", "x"}}),
              HasSubstr("MOVIECHAT_GENERATION_SEED: generation.seed"));
}

TEST(ProgramSettings, EveryKindOfSettingIsReachedFromTheEnvironment) {
  const Settings settings = merge({}, {{"MOVIECHAT_DEVICE", "cpu"},
                                       {"MOVIECHAT_PLAN", "released"},
                                       {"MOVIECHAT_MEMORY_SHORT_CAPACITY", "10"},
                                       {"MOVIECHAT_VIDEO_STRICT", "true"}})
                                .chosen.settings;
  EXPECT_EQ(settings.runtime.device, "cpu");
  EXPECT_EQ(settings.plan.kind, PlanKind::released);
  EXPECT_EQ(settings.memory.short_capacity, 10);
  EXPECT_TRUE(settings.video.strict);
}

TEST(ProgramSettings, FormerNamesAreReachedFromTheEnvironmentToo) {
  std::vector<std::string> warnings;
  const Settings settings =
      merge({}, {{"MOVIECHAT_MEMORY_CONSOLIDATION", "clip"}}, &warnings).chosen.settings;
  EXPECT_EQ(settings.memory.policy, Policy::per_clip);
  EXPECT_THAT(warnings, ElementsAre());
}

TEST(ProgramSettings, AVariableThatIsNoSettingIsWarnedAbout) {
  std::vector<std::string> warnings;
  merge({}, {{"MOVIECHAT_GENERATION_SEDE", "1"}, {"MOVIECHAT_HOME", "x"}}, &warnings);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("did you mean MOVIECHAT_GENERATION_SEED?")));
}

TEST(ProgramSettings, EveryFlagThatIsShortForASettingReachesOne) {
  const auto fields = list_fields(ProgramSettings{});
  for (const SettingFlag& flag : kSettingFlags) {
    EXPECT_TRUE(std::any_of(fields.begin(), fields.end(), [&](const FieldText& field) {
      return field.key == flag.setting;
    })) << flag.name;
  }
}

TEST(ProgramSettings, InForceAreThoseOfTheBundleThatWouldBeUsed) {
  const TemporaryFolder folder;
  std::filesystem::copy(tiny_bundle(), folder / "bundle");
  std::string description = read_file(folder / "bundle" / "model.yaml", "description");
  const std::string before = "max_new_tokens: 300";
  description.replace(description.find(before), before.size(), "max_new_tokens: 11");
  write_file(folder / "bundle" / "model.yaml", description);
  const std::string bundle = (folder / "bundle").string();
  const auto longest = [](const std::vector<Assignment>& flags, const Environment& environment) {
    return settings_in_force(flags, environment).settings.generation.max_new_tokens;
  };
  EXPECT_EQ(longest({}, {{"MOVIECHAT_MODEL", bundle}}), 11);
  EXPECT_EQ(longest({{"model", bundle, "--model"}}, {{"MOVIECHAT_MODEL", "/none"}}), 11);
  EXPECT_EQ(longest({}, {{"MOVIECHAT_MODEL", "/none"}}), 300);
}

}  // namespace
}  // namespace moviechat::cli
