// moviechat: the program. Commands: ask (the default), inspect, eval, merge, score, completions,
// man. Exit codes: 0 all answered, 1 ours, 2 usage or input, 3 some items failed, 129, 130
// and 143 on signals.

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <tuple>

#include "cli/program.h"
#include "cli/signals.h"
#include "cli/terminal.h"

namespace {

void say(std::string_view line) { std::ignore = ::write(STDERR_FILENO, line.data(), line.size()); }

/// Memory that runs out in a library's thread, where nothing catches that, is said, too.
void end_without_memory() {
  try {
    if (const auto exception = std::current_exception()) std::rethrow_exception(exception);
  } catch (const std::bad_alloc&) {
    say("moviechat: error: out of memory; try a smaller --batch or a smaller bundle\n");
    ::_exit(1);
  } catch (...) {
  }
  std::abort();
}

/// In a folder that has been removed names of files mean nothing, and MKL ends the process while it
/// is loaded, in words of its own: this runs before any library does.
void check_current_folder(int /*count*/, char** /*arguments*/, char** /*environment*/) {
  char folder[PATH_MAX];  // as plain as it can be: nothing is set up yet
  if (::getcwd(folder, sizeof(folder)) != nullptr || errno != ENOENT) return;
  say("moviechat: error: the current folder has been removed; change to another and try again\n");
  ::_exit(2);
}
__attribute__((used, section(".preinit_array"))) void (*const before_libraries)(
    int, char**, char**) = check_current_folder;

}  // namespace

int main(int argc, char** argv) {
  namespace cli = moviechat::cli;
  cli::reserve_standard_streams();
  std::set_terminate(end_without_memory);
  static moviechat::CancelFlag cancel;  // outlives the handlers that point at it
  cli::catch_signals(cancel);
  try {
    cli::run_program({argv + 1, argv + argc}, cancel);
    return 0;
  } catch (...) {
    const cli::Failure failure = cli::failure_of(std::current_exception());
    if (!failure.line.empty()) cli::Messages(cli::LogLevel::info).error(failure.line);
    return failure.exit_code;
  }
}
