#include "cli/program.h"

#include <c10/util/Exception.h>

#include <cctype>
#include <new>

#include "cli/ask.h"
#include "cli/bench.h"
#include "cli/completions.h"
#include "cli/eval.h"
#include "cli/help.h"
#include "cli/inspect.h"
#include "cli/man.h"
#include "cli/options.h"
#include "cli/score.h"
#include "cli/signals.h"
#include "cli/terminal.h"

namespace moviechat::cli {
namespace {

LogLevel log_level_of(const Arguments& arguments) {
  LogLevel level = LogLevel::info;
  const auto named = arguments.value("--log-level");
  if (named) from_text("--log-level", *named, level);
  if (!arguments.has("--quiet")) return level;
  if (named && level != LogLevel::error) {
    throw InputError("--quiet and --log-level " + *named +
                     " contradict each other; give one of them");
  }
  return LogLevel::error;
}

bool is_part_of_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

/// The library's messages name settings; where a flag is short for one, it is said beside the name.
std::string with_flags(std::string message) {
  const auto add = [&](std::string_view setting, std::string_view flag) {
    if (setting.find('.') == std::string_view::npos || message.find(flag) != std::string::npos)
      return;
    const size_t at = message.find(setting);
    if (at == std::string::npos) return;
    const size_t end = at + setting.size();
    const bool whole = (at == 0 || !is_part_of_name(message[at - 1])) &&
                       (end == message.size() || !is_part_of_name(message[end]));
    if (whole) message.insert(end, " (" + std::string(flag) + ")");
  };
  for (const Flag& flag : flags()) add(flag.setting, flag.name);
  add("plan.kind", "--plan");
  return message;
}

constexpr std::string_view kOutOfMemory =
    "out of memory; try a smaller --batch or a smaller bundle, or raise the limit";

int stopped_code() {
  const int code = exit_code_of_signal();
  return code == 0 ? 130 : code;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Failure failure_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const StoppedRun&) {
    return {stopped_code(), "stopped; what is done is kept, --resume goes on with the rest"};
  } catch (const Cancelled&) {
    return {stopped_code(), "stopped"};
  } catch (const SomeFailed& failed) {
    return {3, one_line(failed.what())};
  } catch (const InputError& error) {
    return {2, with_flags(one_line(error.what()))};
  } catch (const Error& error) {
    return {1, with_flags(one_line(error.what()))};
  } catch (const c10::Error& error) {
    if (tells_of_memory(error.what())) return {1, std::string(kOutOfMemory)};
    return {1, one_line(first_line(error.what_without_backtrace()))};
  } catch (const std::filesystem::filesystem_error& error) {
    return {2, one_line("cannot use '" + error.path1().string() + "': " + error.code().message())};
  } catch (const std::bad_alloc&) {
    return {1, std::string(kOutOfMemory)};
  } catch (const std::exception& error) {
    return {1, one_line(first_line(error.what()))};
  } catch (...) {
    return {1, "a failure without a message"};
  }
}

void run_program(const std::vector<std::string>& arguments, const CancelFlag& cancel) {
  const CommandLine line = split_command(arguments);
  const std::string name(line.command->name);
  if (arguments.empty() || asks_for_help(line)) {
    Results().write(help_text(*line.command, line.named));
    return;
  }
  const Arguments parsed = parse_arguments(*line.command, line.arguments);
  if (parsed.has("--version")) {
    Results().write(version_text());
  } else if (name == "completions") {
    if (!parsed.operand) throw InputError("give a shell: moviechat completions bash|zsh|fish");
    Results().write(completions(*parsed.operand));
  } else if (name == "man") {
    Results().write(man_page());
  } else {
    Messages messages(log_level_of(parsed));
    const Environment environment = moviechat_environment();
    if (name == "bench") {
      run_bench(read_bench(parsed, environment, messages), messages, cancel);
    } else if (name == "eval") {
      run_eval(read_eval(parsed, environment, messages), messages, cancel);
    } else if (name == "merge") {
      run_merge(read_merge(parsed));
    } else if (name == "score") {
      run_score(read_score(parsed, messages), messages, cancel);
    } else if (name == "inspect") {
      run_inspect(read_inspect(parsed, environment, messages), messages, cancel);
    } else {
      run_ask(read_ask(parsed, environment, messages), messages, cancel);
    }
  }
}

}  // namespace moviechat::cli
