#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "moviechat/fields.h"

namespace moviechat::cli {

/// Command line of `man`, which takes nothing.
struct ManOptions {};
CLI::App* add_man(CLI::App& program, ManOptions& options);

/// The manual page moviechat(1) as roff, of the program's commands and flags, and of settings.
std::string man_page(const CLI::App& program, const std::vector<FieldText>& settings);

}  // namespace moviechat::cli
