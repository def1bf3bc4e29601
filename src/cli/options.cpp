#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "moviechat/support/error.h"
#include "moviechat/support/fields.h"

namespace moviechat::cli {
namespace {

constexpr std::string_view kInput = "Input";
constexpr std::string_view kOutput = "Output";
constexpr std::string_view kModel = "Model and machine";
constexpr std::string_view kSettings = "Settings";
constexpr std::string_view kGeneration = "Generation";
constexpr std::string_view kOther = "Other";

const std::vector<std::string_view> kSettingsFlags = {"--profile", "--config", "--set", "--plan",
                                                      "--print-config"};

std::vector<std::string_view> joined(std::vector<std::string_view> a,
                                     const std::vector<std::string_view>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// " (did you mean '--video'?)" for the word that is nearest to a mistyped one, else "".
std::string suggestion(const std::string& word, const std::vector<std::string_view>& known) {
  std::vector<FieldText> fields;
  for (const std::string_view name : known) fields.push_back({std::string(name), "", "", ""});
  const std::string near = nearest_key(word, fields);
  return near.empty() ? "" : "; did you mean '" + near + "'?";
}

[[noreturn]] void refuse_flag(const Command& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  throw InputError("unknown flag '" + name + "'" +
                   (find_flag(name) != nullptr ? " for '" + std::string(command.name) + "'"
                                               : suggestion(name, command.flags)));
}

/// A command line as CLI11 takes it without surprises.
struct Words {
  std::vector<std::string> flags;     // every value a word of its own after its flag
  std::vector<std::string> operands;  // what stands after "--"
};

/// CLI11 takes the next word where a value is attached but empty (`--flag=`), and takes known flags
/// as values: values are detached here, and those mistakes named.
Words split_words(const Command& command, const std::vector<std::string>& arguments) {
  const auto is_flag = [&](std::string_view word) {
    return std::find(command.flags.begin(), command.flags.end(), word) != command.flags.end();
  };
  Words words;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--") {
      words.operands.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                            arguments.end());
      break;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    words.flags.push_back(is_flag(name) ? name : word);
    if (!is_flag(name)) continue;
    const std::string argument(find_flag(name)->argument);
    if (argument.empty()) {
      if (equals == std::string::npos) continue;
      throw InputError(name + " takes no value, got '" + word.substr(equals + 1) + "'");
    }
    if (equals != std::string::npos) {
      words.flags.push_back(word.substr(equals + 1));
    } else if (i + 1 == arguments.size()) {
      throw InputError(name + " needs a value: " + name + " " + argument);
    } else if (is_flag(arguments[i + 1])) {
      throw InputError(name + " needs a value, found the flag " + arguments[i + 1] + "; write " +
                       name + "=" + arguments[i + 1] + " if that is the value");
    } else {
      words.flags.push_back(arguments[++i]);
    }
  }
  return words;
}

}  // namespace

const std::vector<Flag>& flags() {
  static const std::vector<Flag> table = {
      {.name = "--video",
       .argument = "FILE",
       .help = "the film: any file that FFmpeg reads",
       .group = kInput,
       .example = "film.mp4"},
      {.name = "--question",
       .argument = "TEXT",
       .help = "a question; give it again for more: one pass over the film answers all",
       .group = kInput,
       .example = "'What happens?'",
       .repeats = true},
      {.name = "--at",
       .argument = "TIME",
       .help =
           "ask about this moment: seconds, MM:SS or H:MM:SS. Once: for all questions; as often "
           "as --question: one for each; without it, questions are about the whole film",
       .group = kInput,
       .example = "12:34",
       .repeats = true},
      {.name = "--at-frame",
       .argument = "N",
       .help = "like --at, as a frame index",
       .group = kInput,
       .example = "1800",
       .repeats = true},
      {.name = "--questions",
       .argument = "FILE",
       .help = "questions as JSON lines: {\"question\": TEXT, \"at\": TIME or \"at_frame\": N if "
               "about a moment}; - reads stdin",
       .group = kInput,
       .example = "questions.jsonl"},
      {.name = "--strict",
       .help = "make a damaged or truncated film an error, not a warning",
       .group = kInput,
       .setting = "video.strict"},
      {.name = "--allow-url",
       .help = "open http, https and rtsp inputs too",
       .group = kInput,
       .setting = "video.allow_url"},

      {.name = "--format",
       .argument = "FORMAT",
       .help = "how answers are printed: text (a line each), json (one object), jsonl (an object "
               "each), srt (subtitles)",
       .group = kOutput,
       .example = "srt",
       .values = "text json jsonl srt"},
      {.name = "--json", .help = "the same as --format json", .group = kOutput},
      {.name = "--evidence",
       .help = "name the time spans that each answer rests on",
       .group = kOutput},
      {.name = "--frames",
       .argument = "DIR",
       .help =
           "write the frames that the plan reads into a new folder, as PNG of the size that the "
           "model sees, with frames.json (index, pts, seconds)",
       .group = kOutput,
       .example = "frames"},
      {.name = "--log-level",
       .argument = "LEVEL",
       .help =
           "what is told on stderr: error, warn, info (progress too; default) or debug (timings "
           "too)",
       .group = kOutput,
       .example = "debug",
       .values = "error warn info debug"},
      {.name = "--quiet", .help = "the same as --log-level error", .group = kOutput},

      {.name = "--model",
       .argument = "DIR",
       .help = "the model bundle; trust it like a program. Default: the mini bundle that came with "
               "the program",
       .group = kModel,
       .example = "models/mini"},
      {.name = "--device",
       .argument = "DEVICE",
       .help = "cpu, cuda, cuda:INDEX, or auto: CUDA when there is one",
       .group = kModel,
       .example = "cuda:1",
       .values = "auto cpu cuda",
       .setting = "runtime.device"},
      {.name = "--dtype",
       .argument = "DTYPE",
       .help = "fp32, fp16, bf16, or auto: fp16 on CUDA, fp32 on a CPU",
       .group = kModel,
       .example = "bf16",
       .values = "auto fp32 fp16 bf16",
       .setting = "runtime.dtype"},
      {.name = "--threads",
       .argument = "N",
       .help = "CPU threads; 0: one per core",
       .group = kModel,
       .example = "4",
       .setting = "runtime.threads"},
      {.name = "--batch",
       .argument = "N",
       .help = "frames encoded together",
       .group = kModel,
       .example = "8",
       .setting = "runtime.batch"},
      {.name = "--verify",
       .argument = "HOW",
       .help = "check of the bundle: full (every part's hash) or quick (only the self-test)",
       .group = kModel,
       .example = "quick",
       .values = "full quick",
       .setting = "runtime.verify"},

      {.name = "--profile",
       .argument = "NAME",
       .help =
           "the choices of the paper, of the authors' released code, or uniform sampling without "
           "a memory",
       .group = kSettings,
       .example = "released",
       .values = "paper released uniform",
       .setting = "profile"},
      {.name = "--config",
       .argument = "FILE",
       .help = "settings from a YAML file",
       .group = kSettings,
       .example = "my.yaml"},
      {.name = "--set",
       .argument = "KEY=VALUE",
       .help = "any setting by its dotted name; --print-config lists them",
       .group = kSettings,
       .example = "memory.keep=3",
       .repeats = true},
      {.name = "--plan",
       .argument = "PLAN",
       .help = "which frames are read: clips, released, uniform:N (N frames) or fps:R (R a second)",
       .group = kSettings,
       .example = "uniform:32",
       .values = "clips released uniform: fps:",
       .setting = "plan"},
      {.name = "--print-config",
       .help = "print all settings as --config reads them, and do nothing else",
       .group = kSettings},

      {.name = "--max-new-tokens",
       .argument = "N",
       .help = "longest answer, in tokens",
       .group = kGeneration,
       .example = "60",
       .setting = "generation.max_new_tokens"},
      {.name = "--min-new-tokens",
       .argument = "N",
       .help = "shortest answer, in tokens",
       .group = kGeneration,
       .example = "5",
       .setting = "generation.min_new_tokens"},
      {.name = "--temperature",
       .argument = "T",
       .help = "0: always the likeliest token; else sample, the bolder the higher",
       .group = kGeneration,
       .example = "0.7",
       .setting = "generation.temperature"},
      {.name = "--top-p",
       .argument = "P",
       .help = "sample from the likeliest tokens that reach this probability; 1: from all",
       .group = kGeneration,
       .example = "0.9",
       .setting = "generation.top_p"},
      {.name = "--top-k",
       .argument = "K",
       .help = "sample from the K likeliest tokens; 0: from all",
       .group = kGeneration,
       .example = "50",
       .setting = "generation.top_k"},
      {.name = "--seed",
       .argument = "N",
       .help = "seed of the sampling",
       .group = kGeneration,
       .example = "7",
       .setting = "generation.seed"},
      {.name = "--beams",
       .argument = "N",
       .help = "beams searched; 1: none",
       .group = kGeneration,
       .example = "3",
       .setting = "generation.beams"},
      {.name = "--repetition-penalty",
       .argument = "X",
       .help = "above 1 makes tokens of the answer less likely to come again",
       .group = kGeneration,
       .example = "1.2",
       .setting = "generation.repetition_penalty"},
      {.name = "--length-penalty",
       .argument = "X",
       .help = "with beams: above 0 favours longer answers",
       .group = kGeneration,
       .example = "1",
       .setting = "generation.length_penalty"},

      {.name = "--version", .help = "print the version", .group = kOther},
      {.name = "--help", .help = "print this help", .group = kOther},
  };
  return table;
}

const std::vector<Command>& commands() {
  static const std::vector<std::string_view> everywhere = {"--version", "--help"};
  static const std::vector<std::string_view> machine = {"--model", "--device", "--dtype",
                                                        "--threads", "--verify"};
  static const std::vector<Command> table = {
      {.name = "ask",
       .summary = "answer questions about a film (the default: the word may be left out)",
       .description = "Watches a film once and answers questions about the whole of it, or about "
                      "moments. Answers go to stdout, everything else to stderr.",
       .flags = joined(joined({"--video",         "--question",       "--at",
                               "--at-frame",      "--questions",      "--strict",
                               "--allow-url",     "--format",         "--json",
                               "--evidence",      "--log-level",      "--quiet",
                               "--batch",         "--max-new-tokens", "--min-new-tokens",
                               "--temperature",   "--top-p",          "--top-k",
                               "--seed",          "--beams",          "--repetition-penalty",
                               "--length-penalty"},
                              joined(machine, kSettingsFlags)),
                       everywhere),
       .examples = {"moviechat --video film.mp4 --question 'What is the colour of the background?'",
                    "moviechat --video film.mp4 --question 'What moves?' --at 0:30 --evidence",
                    "moviechat --video film.mp4 --questions questions.jsonl --json",
                    "moviechat --video film.mp4 --question 'What moves?' --plan uniform:32 "
                    "--format srt",
                    "moviechat --profile released --set generation.seed=7 --print-config"}},
      {.name = "inspect",
       .operand = "VIDEO|BUNDLE",
       .operand_needed = true,
       .summary = "show a video's plan, frames and timestamps, or a bundle's parts and self-test",
       .description =
           "Of a video: what it is, and the frames that a plan reads, with their "
           "timestamps. Of a bundle (a folder): its parts, sizes, hashes, and the result "
           "of its self-test.",
       .flags = joined(joined({"--strict", "--allow-url", "--format", "--json", "--frames",
                               "--log-level", "--quiet"},
                              joined(machine, kSettingsFlags)),
                       everywhere),
       .examples = {"moviechat inspect film.mp4 --plan uniform:8",
                    "moviechat inspect film.mp4 --plan fps:1 --frames frames --json",
                    "moviechat inspect models/mini"}},
      {.name = "completions",
       .operand = "SHELL",
       .operand_values = "bash zsh fish",
       .operand_needed = true,
       .summary = "print completions for bash, zsh or fish",
       .description = "Prints a script that teaches a shell to complete moviechat's command line.",
       .flags = everywhere,
       .examples = {"moviechat completions bash > moviechat.bash",
                    "moviechat completions zsh > _moviechat",
                    "moviechat completions fish > moviechat.fish"}},
      {.name = "man",
       .summary = "print the manual page (roff)",
       .description = "Prints the manual page; man -l reads it.",
       .flags = everywhere,
       .examples = {"moviechat man > moviechat.1"}},
  };
  return table;
}

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : flags()) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

std::vector<const Flag*> flags_of(const Command& command) {
  std::vector<const Flag*> chosen;
  for (const Flag& flag : flags()) {
    if (std::find(command.flags.begin(), command.flags.end(), flag.name) != command.flags.end()) {
      chosen.push_back(&flag);
    }
  }
  return chosen;
}

bool Arguments::has(std::string_view flag) const { return value(flag).has_value(); }

std::optional<std::string> Arguments::value(std::string_view flag) const {
  for (const Given& one : given) {
    if (one.flag->name == flag) return one.value;
  }
  return std::nullopt;
}

std::vector<std::string> Arguments::values(std::string_view flag) const {
  std::vector<std::string> all;
  for (const Given& one : given) {
    if (one.flag->name == flag) all.push_back(one.value);
  }
  return all;
}

CommandLine split_command(std::vector<std::string> arguments) {
  const auto named = [](const std::string& word) -> const Command* {
    for (const Command& command : commands()) {
      if (command.name == word) return &command;
    }
    return nullptr;
  };
  if (arguments.empty() || arguments[0].starts_with("-")) {
    return {&commands().front(), false, std::move(arguments)};
  }
  const Command* command = named(arguments[0]);
  if (command == nullptr) {
    std::string all;
    std::vector<std::string_view> names;
    for (const Command& one : commands()) {
      all += (all.empty() ? "" : ", ") + std::string(one.name);
      names.push_back(one.name);
    }
    const std::string near = suggestion(arguments[0], names);
    throw InputError("unknown command '" + arguments[0] + "'" +
                     (near.empty() ? "; commands: " + all : near));
  }
  arguments.erase(arguments.begin());
  return {command, true, std::move(arguments)};
}

Arguments parse_arguments(const Command& command, const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag();
  app.set_config();
  app.allow_extras();
  std::map<const CLI::Option*, const Flag*> flag_of;
  for (const Flag* flag : flags_of(command)) {
    CLI::Option* option = flag->argument.empty() ? app.add_flag(std::string(flag->name))
                                                 : app.add_option(std::string(flag->name));
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
    flag_of[option] = flag;
  }

  Words words = split_words(command, arguments);
  std::reverse(words.flags.begin(), words.flags.end());  // CLI11 takes them from the back
  try {
    app.parse(words.flags);
  } catch (const CLI::ParseError& error) {
    throw InputError(error.what());
  }

  Arguments result;
  std::map<const CLI::Option*, size_t> used;
  for (const CLI::Option* option : app.parse_order()) {
    const Flag* flag = flag_of.at(option);
    const size_t i = used[option]++;
    if (i > 0 && !flag->repeats) {
      throw InputError(std::string(flag->name) + " is given twice" +
                       (flag->argument.empty() ? ""
                                               : " ('" + option->results()[0] + "' and '" +
                                                     option->results()[1] + "')"));
    }
    result.given.push_back({flag, flag->argument.empty() ? "" : option->results().at(i)});
  }

  std::vector<std::string> operands;
  for (const std::string& extra : app.remaining()) {
    if (extra.size() > 1 && extra[0] == '-') refuse_flag(command, extra);
    operands.push_back(extra);
  }
  operands.insert(operands.end(), words.operands.begin(), words.operands.end());
  if (operands.empty()) return result;
  const std::string name(command.name);
  if (command.operand.empty()) {
    throw InputError("unexpected argument '" + operands[0] + "'; '" + name +
                     "' takes flags only (moviechat --help)");
  }
  if (operands.size() > 1) {
    throw InputError("unexpected argument '" + operands[1] + "' after '" + operands[0] + "'; '" +
                     name + "' takes one " + std::string(command.operand));
  }
  result.operand = operands[0];
  return result;
}

}  // namespace moviechat::cli
