#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"

namespace moviechat::cli {

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
  std::vector<std::string> operands;   // all of it, where several may
};

/// The command that a command line names, `ask` when it begins with a flag; and what follows.
/// InputError for a word that is no command.
struct CommandLine {
  const Command* command = nullptr;
  bool named = false;  // the command was spelled out
  std::vector<std::string> arguments;
};
CommandLine split_command(std::vector<std::string> arguments);

/// --help or -h is among the flags. It is answered whatever else is wrong with them.
bool asks_for_help(const CommandLine& line);

/// InputError for unknown flags (with the nearest known one), missing values, empty names of files,
/// folders and profiles, and flags given twice.
Arguments parse_arguments(const Command& command, const std::vector<std::string>& arguments);

/// The path of the film that --video or an operand names; "-" is standard input, and "./-" a file.
std::string film_path(const std::string& given);

/// The film comes from standard input, another pipe or an address: it is opened once, where it is
/// read.
bool comes_only_once(const std::string& film);

}  // namespace moviechat::cli
