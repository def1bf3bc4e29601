#pragma once

#include <CLI/CLI.hpp>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "moviechat/callbacks.h"
#include "moviechat/error.h"

namespace moviechat::cli {

/// Some items of a batch failed, the rest is done. Exit code 3.
class SomeFailed : public Error {
 public:
  using Error::Error;
};

/// A stop that loses nothing.
class StoppedRun : public Cancelled {};

/// What a caught exception means: the exit code, and the one line to say. An empty line: say
/// nothing.
struct Failure {
  int exit_code = 1;
  std::string line;
};
Failure failure_of(const std::exception_ptr& exception);

/// The program as CLI11 knows it: its sub-commands, each of which runs once its words are parsed.
/// Keep it where it is: the commands refer to it.
std::unique_ptr<CLI::App> make_program(const CancelFlag& cancel);

/// Runs a command line. Throws what failure_of() takes.
void run_program(const std::vector<std::string>& arguments, const CancelFlag& cancel);

}  // namespace moviechat::cli
