#pragma once

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

/// The table of all flags.
const std::vector<Flag>& flags();
/// The flag with a name, or nullptr.
const Flag* find_flag(std::string_view name);

}  // namespace moviechat::cli
