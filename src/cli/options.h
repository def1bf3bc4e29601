#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moviechat::cli {

/// One flag of the program. CLI11's options, --help, completions and the man page are all made from
/// a table of these.
struct Flag {
  std::string_view name;           // --video
  std::string_view argument = "";  // FILE; empty: a switch
  std::string_view help;
  std::string_view group;
  std::string_view example = "";  // an argument as one would write it
  std::string_view values = "";   // the words that it takes, separated by spaces
  std::string_view setting = "";  // the setting that it is short for
  bool repeats = false;
};

/// A sub-command, what it does, its flags, and command lines that work as they stand.
struct Command {
  std::string_view name;
  std::string_view operand = "";  // VIDEO: what it takes besides flags
  std::string_view operand_values = "";
  bool operand_needed = false;
  std::string_view summary;
  std::string_view description;
  std::vector<std::string_view> flags;  // names in the table of flags
  std::vector<std::string_view> examples;
};

const std::vector<Flag>& flags();
const std::vector<Command>& commands();
/// The flag with a name, or nullptr.
const Flag* find_flag(std::string_view name);
/// The flags of one command, in the order of the table.
std::vector<const Flag*> flags_of(const Command& command);

/// What was given on a command line. A flag's value is text as given; a switch has none.
class Arguments {
 public:
  struct Given {
    const Flag* flag = nullptr;
    std::string value;
  };

  bool has(std::string_view flag) const;
  std::optional<std::string> value(std::string_view flag) const;
  std::vector<std::string> values(std::string_view flag) const;

  std::vector<Given> given;            // in the order of the command line
  std::optional<std::string> operand;  // what stood there without a flag
};

/// The command that a command line names, `ask` when it begins with a flag; and what follows.
/// InputError for a word that is no command.
struct CommandLine {
  const Command* command = nullptr;
  bool named = false;  // the command was spelled out
  std::vector<std::string> arguments;
};
CommandLine split_command(std::vector<std::string> arguments);

/// InputError for unknown flags (with the nearest known one), missing values, and flags given
/// twice.
Arguments parse_arguments(const Command& command, const std::vector<std::string>& arguments);

}  // namespace moviechat::cli
