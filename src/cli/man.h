#pragma once

#include <string>

namespace moviechat::cli {

/// The manual page moviechat(1) as roff, from the tables of commands, flags and settings.
std::string man_page();

}  // namespace moviechat::cli
