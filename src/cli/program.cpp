#include "cli/program.h"

#include <c10/util/Exception.h>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <new>

#include "base/files.h"
#include "cli/ask.h"
#include "cli/bench.h"
#include "cli/command_line.h"
#include "cli/completions.h"
#include "cli/eval.h"
#include "cli/help.h"
#include "cli/inspect.h"
#include "cli/man.h"
#include "cli/merge.h"
#include "cli/score.h"
#include "cli/setting_flags.h"
#include "cli/signals.h"
#include "cli/terminal.h"

namespace moviechat::cli {
namespace {

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
    if (whole) message.insert(end, fmt::format(" ({})", flag));
  };
  for (const SettingFlag& flag : kSettingFlags) add(flag.setting, flag.name);
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

/// The program was started without arguments, and has said how it is used. Exit code 2.
class NoArguments : public std::exception {};

/// The bundle that a command line names, whatever else is wrong with it.
std::vector<Assignment> model_of(const CommandLine& line) {
  const std::vector<std::string> words = sort_words(*line.command, line.words).flags;
  const auto model = std::find(words.begin(), words.end(), "--model");
  if (words.end() - model < 2) return {};
  return {{"model", model[1], "--model"}};
}

/// Adds a command with its options, that runs once its words are parsed.
template <class Options>
void add(CLI::App& program, CLI::App* (*add_flags)(CLI::App&, Options&),
         std::function<void(const Options&)> run) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_flags(program, *options);
  add_version_and_help(*command);
  command->final_callback([options, run = std::move(run)] { run(*options); });
}

}  // namespace

Failure failure_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const StoppedRun&) {
    return {stopped_code(), "stopped; what is done is kept, --resume goes on with the rest"};
  } catch (const Cancelled&) {
    return {stopped_code(), "stopped"};
  } catch (const NoArguments&) {
    return {2, ""};
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

std::unique_ptr<CLI::App> make_program(const CancelFlag& cancel) {
  auto program =
      std::make_unique<CLI::App>("answers questions about films of any length", "moviechat");
  CLI::App& app = *program;
  add<AskOptions>(app, add_ask, [&](const AskOptions& options) { run_ask(options, cancel); });
  add<InspectOptions>(app, add_inspect,
                      [&](const InspectOptions& options) { run_inspect(options, cancel); });
  add<EvalOptions>(app, add_eval, [&](const EvalOptions& options) { run_eval(options, cancel); });
  add<MergeOptions>(app, add_merge, run_merge);
  add<ScoreOptions>(app, add_score,
                    [&](const ScoreOptions& options) { run_score(options, cancel); });
  add<BenchOptions>(app, add_bench,
                    [&](const BenchOptions& options) { run_bench(options, cancel); });
  add<CompletionsOptions>(app, add_completions, [&app](const CompletionsOptions& options) {
    if (!options.shell) throw InputError("give a shell: moviechat completions bash|zsh|fish");
    Results().write(completions(app, *options.shell));
  });
  add<ManOptions>(app, add_man, [&app](const ManOptions&) {
    const auto settings = list_fields(settings_in_force({}, moviechat_environment()));
    show_defaults(app, settings);
    Results().write(man_page(app, settings));
  });
  return program;
}

void run_program(const std::vector<std::string>& arguments, const CancelFlag& cancel) {
  const auto program = make_program(cancel);
  if (arguments.empty()) {
    write_all(STDERR_FILENO, usage_text(*program));
    throw NoArguments();
  }
  const CommandLine line = split_command(*program, arguments);
  if (asks_for_help(line)) {
    show_defaults(*program,
                  list_fields(settings_in_force(model_of(line), moviechat_environment())));
    Results().write(help_text(*program, *line.command, line.named));
    return;
  }
  try {
    parse_words(*line.command, line.words);
  } catch (const CLI::Success& version) {
    Results().write(version.what());
  }
}

}  // namespace moviechat::cli
