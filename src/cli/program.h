#pragma once

#include <exception>
#include <string>
#include <vector>

#include "moviechat/callbacks.h"

namespace moviechat::cli {

/// What a caught exception means: the exit code, and the one line to say. An empty line: say
/// nothing.
struct Failure {
  int exit_code = 1;
  std::string line;
};
Failure failure_of(const std::exception_ptr& exception);

/// Runs a command line. Throws what failure_of() takes.
void run_program(const std::vector<std::string>& arguments, const CancelFlag& cancel);

}  // namespace moviechat::cli
