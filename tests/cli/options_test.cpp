#include "cli/options.h"

#include <gmock/gmock.h>

#include "moviechat/error.h"

namespace moviechat::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Command& ask() { return commands().front(); }

Arguments parse(const std::vector<std::string>& words) { return parse_arguments(ask(), words); }

std::string refusal(const std::vector<std::string>& words) {
  try {
    const CommandLine line = split_command(words);
    parse_arguments(*line.command, line.arguments);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Options, ValuesAreKeptAsTheyWereGiven) {
  const Arguments arguments =
      parse({"--question", "[what], {else}?", "--question", "", "--question=-5 = x", "--question",
             "-5", "--at", "-5", "--question", "%d\n'\"", "--video= ", "--set", "a=b=c"});
  EXPECT_THAT(arguments.values("--question"),
              ElementsAre("[what], {else}?", "", "-5 = x", "-5", "%d\n'\""));
  EXPECT_EQ(arguments.value("--at"), "-5");
  EXPECT_EQ(arguments.value("--video"), " ");
  EXPECT_EQ(arguments.value("--set"), "a=b=c");
  EXPECT_FALSE(arguments.has("--json"));
}

TEST(Options, TheOrderOfTheCommandLineIsKept) {
  const Arguments arguments = parse({"--seed", "1", "--set", "x=1", "--strict", "--set", "x=2"});
  std::vector<std::string> order;
  for (const auto& [flag, value] : arguments.given)
    order.push_back(std::string(flag->name) + value);
  EXPECT_THAT(order, ElementsAre("--seed1", "--setx=1", "--strict", "--setx=2"));
}

TEST(Options, WithoutACommandItIsAsk) {
  EXPECT_EQ(split_command({"--video", "x"}).command->name, "ask");
  EXPECT_FALSE(split_command({"--video", "x"}).named);
  EXPECT_EQ(split_command({}).command->name, "ask");
  EXPECT_EQ(split_command({"inspect", "x"}).command->name, "inspect");
  EXPECT_THAT(split_command({"inspect", "x"}).arguments, ElementsAre("x"));
}

TEST(Options, MistakesAreNamedWithTheWayOut) {
  EXPECT_THAT(refusal({"--vidoe", "x"}), HasSubstr("did you mean '--video'?"));
  EXPECT_THAT(refusal({"--vidoe=x"}), HasSubstr("unknown flag '--vidoe'"));
  EXPECT_THAT(refusal({"-x"}), HasSubstr("unknown flag '-x'"));
  EXPECT_EQ(refusal({"-v"}), "unknown flag '-v'");
  EXPECT_THAT(refusal({"inspcet", "x"}), HasSubstr("did you mean 'inspect'?"));
  EXPECT_THAT(refusal({"film.mp4"}),
              HasSubstr("commands: ask, inspect, eval, merge, score, bench, completions, man"));
  EXPECT_THAT(refusal({"--video"}), HasSubstr("--video needs a value: --video FILE"));
  EXPECT_THAT(refusal({"--video", "--question", "x"}),
              HasSubstr("--video needs a value, found the flag --question"));
  for (const std::string flag :
       {"--video", "--features", "--questions", "--model", "--config", "--profile"}) {
    EXPECT_THAT(refusal({flag, ""}), HasSubstr(flag + " needs a value, found an empty one"));
    EXPECT_THAT(refusal({flag + "="}), HasSubstr(flag + " needs a value, found an empty one"));
  }
  EXPECT_THAT(refusal({"inspect", "a", "--frames", ""}), HasSubstr("--frames DIR"));
  EXPECT_THAT(refusal({"eval", "--annotations="}), HasSubstr("--annotations PATH"));
  EXPECT_THAT(refusal({"--video", "a", "--video", "b"}),
              HasSubstr("--video is given twice ('a' and 'b')"));
  EXPECT_THAT(refusal({"--json", "--json"}), HasSubstr("--json is given twice"));
  EXPECT_THAT(refusal({"--json=yes"}), HasSubstr("--json takes no value"));
  EXPECT_THAT(refusal({"ask", "--video", "a", "b"}), HasSubstr("unexpected argument 'b'"));
  EXPECT_THAT(refusal({"inspect", "a", "b"}), HasSubstr("unexpected argument 'b' after 'a'"));
  EXPECT_THAT(refusal({"inspect", "a", "--evidence"}),
              HasSubstr("unknown flag '--evidence' for 'inspect'"));
}

TEST(Options, EveryCommandNamesFlagsOfTheTable) {
  for (const Command& command : commands()) {
    EXPECT_EQ(flags_of(command).size(), command.flags.size()) << command.name;
    EXPECT_FALSE(command.examples.empty()) << command.name;
  }
  for (const Flag& flag : flags()) {
    const auto used = [&](const Command& command) {
      return std::count(command.flags.begin(), command.flags.end(), flag.name) == 1;
    };
    EXPECT_TRUE(std::any_of(commands().begin(), commands().end(), used)) << flag.name;
    EXPECT_TRUE(flag.argument.empty() || !flag.example.empty()) << flag.name << " has no example";
  }
}

TEST(Options, HelpIsAFlagAndNoValue) {
  const auto helps = [](const std::vector<std::string>& words) {
    return asks_for_help(split_command(words));
  };
  EXPECT_TRUE(helps({"-h"}));
  EXPECT_TRUE(helps({"inspect", "--help"}));
  EXPECT_TRUE(helps({"--vidoe", "--help"}));
  EXPECT_TRUE(helps({"--video", "--help"}));  // no known flag is a value
  EXPECT_TRUE(helps({"--strict", "-h"}));
  EXPECT_TRUE(helps({"--question=a", "-h"}));
  EXPECT_FALSE(helps({"--question", "-h"}));
  EXPECT_FALSE(helps({"--question=--help"}));
  EXPECT_FALSE(helps({"inspect", "--", "-h"}));
  EXPECT_EQ(parse({"--question", "-h"}).value("--question"), "-h");
}

TEST(Options, OperandsThatLookLikeFlagsComeAfterTwoDashes) {
  const Command& inspect = *split_command({"inspect"}).command;
  EXPECT_EQ(parse_arguments(inspect, {"--", "--odd.mp4"}).operand, "--odd.mp4");
}

}  // namespace
}  // namespace moviechat::cli
