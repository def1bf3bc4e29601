#include "cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/message.h"
#include "cli/program_walk.h"
#include "moviechat/fields.h"

namespace moviechat::cli {
namespace {

/// "; did you mean '--video'?" for the word that is nearest to a mistyped one, else "".
std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  std::vector<FieldText> fields;
  for (const std::string& name : known) fields.push_back({name, "", "", ""});
  const std::string near = nearest_key(word, fields);
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

/// The flag that a word is, or nullptr.
const CLI::Option* flag_of(const CLI::App& command, const std::string& word) {
  return word.starts_with("--") ? command.get_option_no_throw(word) : nullptr;
}

std::string unknown_flag(const CLI::App& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const auto others = commands_of(*command.get_parent());
  if (std::any_of(others.begin(), others.end(),
                  [&](const CLI::App* other) { return flag_of(*other, name) != nullptr; })) {
    return fmt::format("unknown flag '{}' for '{}'", name, command.get_name());
  }
  std::vector<std::string> known;
  for (const CLI::Option* flag : flags_of(command)) known.push_back(flag_name(*flag));
  return fmt::format("unknown flag '{}'", name) + suggestion(name, known);
}

void check_operands(const CLI::App& command, const std::vector<std::string>& operands) {
  const CLI::Option* operand = operand_of(command);
  if (operand == nullptr && !operands.empty()) {
    throw input_error("unexpected argument '{}'; '{}' takes flags only (moviechat --help)",
                      operands[0], command.get_name());
  }
  if (operands.size() > 1 && !is_repeatable(*operand)) {
    throw input_error("unexpected argument '{}' after '{}'; '{}' takes one {}", operands[1],
                      operands[0], command.get_name(), argument_of(*operand));
  }
}

}  // namespace

CommandLine split_command(CLI::App& program, std::vector<std::string> words) {
  const auto all = program.get_subcommands([](CLI::App*) { return true; });
  if (words.empty() || words[0].starts_with("-")) return {all.front(), false, std::move(words)};
  std::vector<std::string> names;
  for (CLI::App* command : all) {
    names.push_back(command->get_name());
    if (names.back() == words[0]) return {command, true, {words.begin() + 1, words.end()}};
  }
  const std::string near = suggestion(words[0], names);
  throw input_error("unknown command '{}'{}", words[0],
                    near.empty() ? fmt::format("; commands: {}", fmt::join(names, ", ")) : near);
}

SortedWords sort_words(const CLI::App& command, const std::vector<std::string>& words) {
  SortedWords sorted;
  const auto found = [&](const std::string& mistake) {
    if (!sorted.mistake) sorted.mistake = mistake;
  };
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      sorted.operands.insert(sorted.operands.end(), words.begin() + static_cast<long>(i) + 1,
                             words.end());
      break;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const CLI::Option* flag = flag_of(command, name);
    if (word == "-h" || word == "--help") {
      sorted.help = true;
    } else if (flag == nullptr && word.size() > 1 && word[0] == '-') {
      found(unknown_flag(command, word));
    } else if (flag == nullptr) {
      sorted.operands.push_back(word);
    } else if (!takes_value(*flag)) {
      sorted.flags.push_back(name);
      if (equals != std::string::npos) {
        found(fmt::format("{} takes no value, got '{}'", name, word.substr(equals + 1)));
      }
    } else if (equals != std::string::npos) {
      sorted.flags.insert(sorted.flags.end(), {name, word.substr(equals + 1)});
    } else if (i + 1 == words.size()) {
      found(fmt::format("{0} needs a value: {0} {1}", name, argument_of(*flag)));
    } else if (flag_of(command, words[i + 1]) != nullptr) {
      found(fmt::format("{0} needs a value, found the flag {1}; write {0}={1} if that is the value",
                        name, words[i + 1]));
    } else {
      sorted.flags.insert(sorted.flags.end(), {name, words[++i]});
    }
  }
  return sorted;
}

bool asks_for_help(const CommandLine& line) { return sort_words(*line.command, line.words).help; }

void parse_words(CLI::App& command, const std::vector<std::string>& words) {
  const SortedWords sorted = sort_words(command, words);
  if (sorted.mistake) throw InputError(*sorted.mistake);
  check_operands(command, sorted.operands);
  std::vector<std::string> reversed(sorted.operands.rbegin(), sorted.operands.rend());
  if (!sorted.operands.empty()) {
    // So many and no more: of an option that takes any number CLI11 would split "[a,b]".
    command.get_option(kOperand)->expected(static_cast<int>(sorted.operands.size()));
    reversed.push_back("--");
  }
  reversed.insert(reversed.end(), sorted.flags.rbegin(), sorted.flags.rend());
  try {
    command.parse(std::move(reversed));
  } catch (const CLI::Success&) {
    throw;  // --version
  } catch (const CLI::ParseError& error) {
    throw InputError(error.what());
  }
}

}  // namespace moviechat::cli
