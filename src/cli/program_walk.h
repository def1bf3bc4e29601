#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace moviechat::cli {

// What help, manual and completions read from a program of CLI11.
//   The type name of an option is "DEVICE:auto cpu cuda": an argument, and words that it may be.
//   Its option text, which CLI11's own help would print, is an example of the argument.
//   The description of a command is a line of summary, then details; its footer are examples.

inline constexpr char kOperand[] = "operand";  // CLI11's name for what is no flag

std::string flag_name(const CLI::Option& option);    // "--device"
std::string argument_of(const CLI::Option& option);  // "DEVICE"; "" for a switch
std::string words_of(const CLI::Option& option);     // "auto cpu cuda"
std::string example_of(const CLI::Option& option);   // "cuda:1"
bool takes_value(const CLI::Option& option);
bool is_repeatable(const CLI::Option& option);

std::string summary_of(const CLI::App& command);
std::string details_of(const CLI::App& command);
std::vector<std::string> examples_of(const CLI::App& command);
std::vector<const CLI::Option*> flags_of(const CLI::App& command);
/// What a command takes besides flags, or nullptr.
const CLI::Option* operand_of(const CLI::App& command);
/// The sub-commands, in the order in which they were added; the first is the default.
std::vector<const CLI::App*> commands_of(const CLI::App& program);

}  // namespace moviechat::cli
