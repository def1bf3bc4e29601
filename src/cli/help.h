#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace moviechat::cli {

/// Text of --help: of the program when no command is named, else of that command.
std::string help_text(const CLI::App& program, const CLI::App& command, bool named);

/// A line for each command, for who gives no arguments.
std::string usage_text(const CLI::App& program);

/// What follows "moviechat" in a line that shows how a command is used: " inspect VIDEO|BUNDLE".
std::string usage_of(const CLI::App& command, bool named);

/// "moviechat 0.1.0 (libtorch …, FFmpeg …)".
std::string version_text();

}  // namespace moviechat::cli
