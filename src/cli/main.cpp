// moviechat: the program. Commands: ask (the default), inspect, eval, merge, score, completions,
// man. Exit codes: 0 all answered, 1 ours, 2 usage or input, 3 some items failed, 129, 130
// and 143 on signals.

#include "cli/program.h"
#include "cli/signals.h"
#include "cli/terminal.h"

int main(int argc, char** argv) {
  namespace cli = moviechat::cli;
  cli::reserve_standard_streams();
  static moviechat::CancelFlag cancel;  // outlives the handlers that point at it
  cli::catch_signals(cancel);
  try {
    cli::run_program({argv + 1, argv + argc}, cancel);
    return 0;
  } catch (...) {
    const cli::Failure failure = cli::failure_of(std::current_exception());
    cli::Messages(cli::LogLevel::info).error(failure.line);
    return failure.exit_code;
  }
}
