#include "cli/command_line.h"

#include <gmock/gmock.h>

#include <random>

#include "cli/ask.h"
#include "cli/flags.h"
#include "cli/inspect.h"
#include "cli/program.h"
#include "cli/program_walk.h"
#include "moviechat/error.h"

namespace moviechat::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const CancelFlag kNoCancel;

AskOptions parse(const std::vector<std::string>& words) {
  CLI::App program;
  AskOptions options;
  CLI::App* ask = add_ask(program, options);
  add_version_and_help(*ask);
  parse_words(*ask, words);
  return options;
}

/// Why the program does not take a command line. Those that it takes are not for here: they run.
std::string refusal(const std::vector<std::string>& words) {
  const auto program = make_program(kNoCancel);
  try {
    const CommandLine line = split_command(*program, words);
    parse_words(*line.command, line.words);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(CommandLine, ValuesAreKeptAsTheyWereGiven) {
  const AskOptions options = parse({"--question",
                                    "[what], {else}?",
                                    "--question",
                                    "",
                                    "--question=-5 = x",
                                    "--question",
                                    "-5",
                                    "--question",
                                    "%d\n'\"",
                                    "--question",
                                    "[a,b]",
                                    "--question",
                                    "{}",
                                    "--question",
                                    "--",
                                    "--question=--video",
                                    "--video= ",
                                    "--set",
                                    "a=b=c",
                                    "--set",
                                    "x=[1,2]"});
  EXPECT_THAT(options.questions.texts, ElementsAre("[what], {else}?", "", "-5 = x", "-5", "%d\n'\"",
                                                   "[a,b]", "{}", "--", "--video"));
  EXPECT_EQ(options.video, " ");
  EXPECT_EQ(options.settings.given.at(0).text, "b=c");
  EXPECT_EQ(options.settings.given.at(1).text, "[1,2]");
  EXPECT_FALSE(options.format.json);
}

TEST(CommandLine, TheOrderOfSettingsIsKept) {
  const AskOptions options =
      parse({"--seed", "1", "--set", "x=1", "--strict", "--plan", "none", "--set", "x=2"});
  std::vector<std::string> order;
  for (const Assignment& one : options.settings.given) {
    order.push_back(one.origin + ": " + one.key + "=" + one.text);
  }
  EXPECT_THAT(order,
              ElementsAre("--seed: generation.seed=1", "--set x=1: x=1",
                          "--strict: video.strict=true", "--plan: plan=none", "--set x=2: x=2"));
}

TEST(CommandLine, WithoutACommandItIsAsk) {
  const auto program = make_program(kNoCancel);
  EXPECT_EQ(split_command(*program, {"--video", "x"}).command->get_name(), "ask");
  EXPECT_FALSE(split_command(*program, {"--video", "x"}).named);
  EXPECT_EQ(split_command(*program, {}).command->get_name(), "ask");
  EXPECT_EQ(split_command(*program, {"inspect", "x"}).command->get_name(), "inspect");
  EXPECT_THAT(split_command(*program, {"inspect", "x"}).words, ElementsAre("x"));
}

TEST(CommandLine, MistakesAreNamedWithTheWayOut) {
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
  EXPECT_THAT(refusal({"--seed", "1", "--seed", "2"}),
              HasSubstr("--seed is given twice ('1' and '2')"));
  EXPECT_THAT(refusal({"--json", "--json"}), HasSubstr("--json is given twice"));
  EXPECT_THAT(refusal({"--strict", "--strict"}), HasSubstr("--strict is given twice"));
  EXPECT_THAT(refusal({"--json=yes"}), HasSubstr("--json takes no value"));
  EXPECT_THAT(refusal({"ask", "--video", "a", "b"}), HasSubstr("unexpected argument 'b'"));
  EXPECT_THAT(refusal({"inspect", "a", "b"}), HasSubstr("unexpected argument 'b' after 'a'"));
  EXPECT_THAT(refusal({"inspect", "a", "--evidence"}),
              HasSubstr("unknown flag '--evidence' for 'inspect'"));
}

TEST(CommandLine, EveryFlagThatTakesAValueHasAnExampleAndEveryCommandHas) {
  const auto program = make_program(kNoCancel);
  for (const CLI::App* command : commands_of(*program)) {
    EXPECT_FALSE(examples_of(*command).empty()) << command->get_name();
    for (const CLI::Option* flag : flags_of(*command)) {
      EXPECT_FALSE(flag->get_description().empty()) << flag_name(*flag);
      EXPECT_TRUE(!takes_value(*flag) || !example_of(*flag).empty()) << flag_name(*flag);
    }
  }
}

TEST(CommandLine, HelpIsAFlagAndNoValue) {
  const auto program = make_program(kNoCancel);
  const auto helps = [&](const std::vector<std::string>& words) {
    return asks_for_help(split_command(*program, words));
  };
  EXPECT_TRUE(helps({"-h"}));
  EXPECT_TRUE(helps({"inspect", "--help"}));
  EXPECT_TRUE(helps({"--vidoe", "--help"}));
  EXPECT_TRUE(helps({"--video", "--help"}));  // no known flag is a value
  EXPECT_TRUE(helps({"--video", "--question", "--help"}));
  EXPECT_TRUE(helps({"--strict", "-h"}));
  EXPECT_TRUE(helps({"--question=a", "-h"}));
  EXPECT_FALSE(helps({"--question", "-h"}));
  EXPECT_FALSE(helps({"--question=--help"}));
  EXPECT_FALSE(helps({"inspect", "--", "-h"}));
  EXPECT_THAT(parse({"--question", "-h"}).questions.texts, ElementsAre("-h"));
}

TEST(CommandLine, OperandsThatLookLikeFlagsComeAfterTwoDashes) {
  CLI::App program;
  InspectOptions options;
  parse_words(*add_inspect(program, options), {"--", "--odd.mp4"});
  EXPECT_EQ(options.subject, "--odd.mp4");
}

// --- Random command lines

/// What a command line says: of a command with the flags --one and --path, which take one value,
/// --many, which is repeated, the switch --on, and operands.
struct Parsed {
  std::optional<std::string> one;
  std::optional<std::string> path;
  std::vector<std::string> many;
  bool on = false;
  std::vector<std::filesystem::path> operands;
  bool operator==(const Parsed&) const = default;
};

/// The rules of the command line, one word after the other; nullopt: the line is refused.
std::optional<Parsed> parse_simply(const std::vector<std::string>& words) {
  const auto known = [](const std::string& name) {
    return name == "--one" || name == "--path" || name == "--many" || name == "--on";
  };
  Parsed parsed;
  bool flags_may_come = true;
  for (size_t i = 0; i < words.size(); ++i) {
    if (!flags_may_come || words[i] == "-" || !words[i].starts_with("-")) {
      parsed.operands.emplace_back(words[i]);
      continue;
    }
    if (words[i] == "--") {
      flags_may_come = false;
      continue;
    }
    const size_t equals = words[i].find('=');
    const std::string name = words[i].substr(0, equals);
    if (!known(name)) return std::nullopt;
    if (name == "--on") {
      if (equals != std::string::npos || parsed.on) return std::nullopt;
      parsed.on = true;
      continue;
    }
    std::string value;
    if (equals != std::string::npos) {
      value = words[i].substr(equals + 1);
    } else {
      if (++i == words.size() || known(words[i])) return std::nullopt;
      value = words[i];
    }
    if (name == "--many") {
      parsed.many.push_back(value);
      continue;
    }
    if (name == "--path" && value.empty()) return std::nullopt;
    auto& field = name == "--one" ? parsed.one : parsed.path;
    if (field) return std::nullopt;
    field = value;
  }
  return parsed;
}

std::optional<Parsed> parse_by_cli11(const std::vector<std::string>& words) {
  CLI::App program;
  Parsed parsed;
  CLI::App* command = add_command(program, "try", "tries", "Tries.", {"try"});
  add_operand(*command, "OPERAND...", parsed.operands);
  add_value(*command, "--one TEXT", parsed.one, "one", "a");
  add_value(*command, "--path FILE", parsed.path, "a name", "a");
  add_value(*command, "--many TEXT", parsed.many, "many", "a");
  add_switch(*command, "--on", parsed.on, "a switch");
  try {
    parse_words(*command, words);
  } catch (const InputError&) {
    return std::nullopt;
  }
  return parsed;
}

/// A word of brackets, commas, dashes and quotes, or a known one, perhaps with a value attached.
std::string random_word(std::mt19937& random) {
  const auto below = [&](size_t end) { return random() % end; };
  constexpr std::array<const char*, 20> kWords = {
      "--one",  "--path",      "--many",      "--on", "--one=", "--path=", "--many=",
      "--on=",  "--many=--on", "--one=[a,b]", "--",   "-",      "",        "[a,b]",
      "[a, b]", "{}",          "%%",          "++",   "-1",     "try"};
  constexpr std::string_view kLetters = "-[]{},=:;'\"\\ %+ab1\n";
  if (below(3) > 0) return kWords.at(below(kWords.size()));
  std::string word;
  for (size_t i = below(6); i > 0; --i) word += kLetters[below(kLetters.size())];
  return word;
}

TEST(CommandLine, RandomOnesSayWhatASimpleParserReads) {
  std::mt19937 random(1);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::string> words(random() % 7);
    for (std::string& word : words) word = random_word(random);
    const auto expected = parse_simply(words);
    ASSERT_TRUE(parse_by_cli11(words) == expected) << ::testing::PrintToString(words);
    if (expected) ++accepted;
  }
  EXPECT_GT(accepted, 2'000);
}

}  // namespace
}  // namespace moviechat::cli
