#pragma once

#include <string>

namespace moviechat::cli {

/// A completion script for bash, zsh or fish, from the tables of commands, flags and settings.
/// InputError for another shell.
std::string completions(const std::string& shell);

}  // namespace moviechat::cli
