#pragma once

#include <string_view>
#include <vector>

#include "cli/flags.h"

namespace moviechat::cli {

/// A sub-command, what it does, its flags, and command lines that work as they stand.
struct Command {
  std::string_view name;
  std::string_view operand = "";  // VIDEO: what it takes besides flags
  std::string_view operand_values = "";
  bool operand_needed = false;
  bool operand_repeats = false;
  std::string_view summary;
  std::string_view description;
  std::string_view formats = "";        // the values that its --format takes
  std::vector<std::string_view> flags;  // names in the table of flags
  std::vector<std::string_view> examples;
};

/// The table of all commands; the first is the default.
const std::vector<Command>& commands();
/// The flags of one command, in the order of the table of flags.
std::vector<const Flag*> flags_of(const Command& command);

}  // namespace moviechat::cli
