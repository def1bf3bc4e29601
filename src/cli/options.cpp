#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>

#include "moviechat/error.h"
#include "moviechat/fields.h"

namespace moviechat::cli {
namespace {

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

/// Names a file, a folder or a profile, so that an empty value is a mistake.
bool names_something(const Flag& flag) {
  return flag.argument == "FILE" || flag.argument == "DIR" || flag.argument == "PATH" ||
         flag.name == "--profile";
}

bool is_flag_of(const Command& command, std::string_view word) {
  return std::find(command.flags.begin(), command.flags.end(), word) != command.flags.end();
}

/// A command line as CLI11 takes it without surprises.
struct Words {
  std::vector<std::string> flags;     // every value a word of its own after its flag
  std::vector<std::string> operands;  // what stands after "--"
};

/// CLI11 takes the next word where a value is attached but empty (`--flag=`), and takes known flags
/// as values: values are detached here, and those mistakes named.
Words split_words(const Command& command, const std::vector<std::string>& arguments) {
  const auto is_flag = [&](std::string_view word) { return is_flag_of(command, word); };
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
    if (words.flags.back().empty() && names_something(*find_flag(name))) {
      throw InputError(name + " needs a value, found an empty one: " + name + " " + argument);
    }
  }
  return words;
}

}  // namespace

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

bool asks_for_help(const CommandLine& line) {
  const std::vector<std::string>& words = line.arguments;
  for (size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (words[i] == "--help" || words[i] == "-h") return true;
    const bool takes_value =
        is_flag_of(*line.command, words[i]) && !find_flag(words[i])->argument.empty();
    if (takes_value && i + 1 < words.size() && !is_flag_of(*line.command, words[i + 1])) ++i;
  }
  return false;
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
  if (operands.size() > 1 && !command.operand_repeats) {
    throw InputError("unexpected argument '" + operands[1] + "' after '" + operands[0] + "'; '" +
                     name + "' takes one " + std::string(command.operand));
  }
  result.operand = operands[0];
  result.operands = std::move(operands);
  return result;
}

std::string film_path(const std::string& given) { return given == "-" ? "/dev/stdin" : given; }

bool comes_only_once(const std::string& film) {
  std::error_code ignored;
  return film == film_path("-") || film.find("://") != std::string::npos ||
         std::filesystem::is_fifo(film, ignored);
}

}  // namespace moviechat::cli
