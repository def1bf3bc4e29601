#pragma once

#include <optional>
#include <string>
#include <vector>

#include "program.h"

namespace moviechat::cli::testing {

/// Expects an exit code, nothing on stdout and one line on stderr, in which all of `said` stands.
void expect_one_line(const ProgramResult& result, int exit_code,
                     const std::vector<std::string>& said);

/// Before a command line: who may not read what nobody may. Root may, so it stands back; nothing
/// where it cannot.
std::optional<std::string> as_somebody();

}  // namespace moviechat::cli::testing
