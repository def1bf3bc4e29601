#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace moviechat::cli {

/// The command that a command line names, `ask` when it begins with a flag; and what follows.
struct CommandLine {
  CLI::App* command = nullptr;
  bool named = false;  // the command was spelled out
  std::vector<std::string> words;
};
/// InputError for a word that is no command of the program.
CommandLine split_command(CLI::App& program, std::vector<std::string> words);

/// Words of a command line in an order that CLI11 takes without surprises.
struct SortedWords {
  std::vector<std::string> flags;  // every value a word of its own after its flag
  std::vector<std::string> operands;
  bool help = false;                   // --help or -h is among the flags
  std::optional<std::string> mistake;  // the first one that was found
};
/// CLI11 takes the next word where a value is attached but empty (`--flag=`), takes known flags as
/// values and unknown ones as operands: values are detached here, and those mistakes named.
SortedWords sort_words(const CLI::App& command, const std::vector<std::string>& words);

/// --help or -h is among the flags. It is answered whatever else is wrong with them.
bool asks_for_help(const CommandLine& line);

/// Sets the fields that the command's flags are bound to. InputError for unknown flags (with the
/// nearest known one), missing values, empty names of files, folders and profiles, and flags given
/// twice.
void parse_words(CLI::App& command, const std::vector<std::string>& words);

}  // namespace moviechat::cli
