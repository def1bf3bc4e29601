#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace moviechat::cli {

/// Command line of `completions`.
struct CompletionsOptions {
  std::optional<std::string> shell;  // bash, zsh or fish
};
CLI::App* add_completions(CLI::App& program, CompletionsOptions& options);

/// A script that teaches a shell the program's commands, flags and values. InputError for another
/// shell.
std::string completions(const CLI::App& program, const std::string& shell);

}  // namespace moviechat::cli
