#include "cli/completions.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "base/message.h"
#include "cli/flags.h"
#include "cli/program_walk.h"
#include "cli/templates.h"

namespace moviechat::cli {
namespace {

/// How a shell is told what may follow: nothing, one of some words, a file, a folder.
struct Candidates {
  std::string_view none;
  std::string_view words;
  std::string_view files;
  std::string_view folders;
};
constexpr Candidates kBash = {"", "-W '{}'", "-f", "-d"};                      // of compgen
constexpr Candidates kZsh = {" ", "({})", "_files", "_files -/"};              // of _arguments
constexpr Candidates kFish = {"", " -a '{}'", " -a '(__fish_complete_path)'",  // of complete
                              " -a '(__fish_complete_directories)'"};

/// Candidates for a flag's value, or for an operand; nullptr: none.
std::string candidates(const CLI::Option* option, const Candidates& shell) {
  if (option == nullptr) return std::string(shell.none);
  const std::string argument = argument_of(*option);
  const std::string words = words_of(*option);
  if (!words.empty()) return fmt::format(fmt::runtime(shell.words), words);
  if (argument == "DIR") return std::string(shell.folders);
  const bool file = argument == "FILE" || argument == "PATH" || option->get_positional();
  return std::string(file ? shell.files : shell.none);
}

/// Text between single quotes in a shell that writes a quote inside as `quote`.
std::string quoted(std::string_view text, std::string_view quote) {
  return fmt::format("'{}'", replaced(std::string(text), {{"'", std::string(quote)}}));
}

std::string command_names(const CLI::App& program, const char* separator) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(program)) names.push_back(command->get_name());
  return fmt::format("{}", fmt::join(names, separator));
}

std::string bash_script(const CLI::App& program) {
  std::string cases;
  for (const CLI::App* command : commands_of(program)) {
    cases += fmt::format("    {})\n      case $previous in\n", command->get_name());
    std::vector<std::string> names;
    for (const CLI::Option* flag : flags_of(*command)) {
      names.push_back(flag_name(*flag));
      if (!takes_value(*flag)) continue;
      cases += fmt::format("        {}) action=({}) ;;\n", names.back(), candidates(flag, kBash));
    }
    cases += fmt::format(
        "        *) case $typed in\n          --*=*) ;;\n          -*) action=(-W '{}') ;;\n"
        "          *) action=({}) ;;\n        esac ;;\n      esac ;;\n",
        fmt::join(names, " "), candidates(operand_of(*command), kBash));
  }
  return replaced(std::string(kBashTemplate), {{"@CASES@", cases},
                                               {"@COMMANDS@", command_names(program, " ")},
                                               {"@ALTERNATIVES@", command_names(program, "|")}});
}

/// Text inside a specification of zsh's _arguments.
std::string zsh_text(std::string text) {
  return replaced(std::move(text), {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

std::string zsh_script(const CLI::App& program) {
  std::string names;
  std::string cases;
  const auto line = [](const std::string& text) {
    return fmt::format("      {}\n", quoted(text, "'\\''"));
  };
  for (const CLI::App* command : commands_of(program)) {
    names += line(fmt::format("{}:{}", command->get_name(), zsh_text(summary_of(*command))));
    cases += fmt::format("    ({}) specs=(\n", command->get_name());
    for (const CLI::Option* flag : flags_of(*command)) {
      const std::string value = fmt::format(":{}:{}", argument_of(*flag), candidates(flag, kZsh));
      cases +=
          line(fmt::format("{}{}[{}]{}", is_repeatable(*flag) ? "*" : "", flag_name(*flag),
                           zsh_text(flag->get_description()), takes_value(*flag) ? value : ""));
    }
    if (const CLI::Option* operand = operand_of(*command)) {
      cases += line(fmt::format("{}:{}:{}", is_repeatable(*operand) ? "*" : "1",
                                argument_of(*operand), candidates(operand, kZsh)));
    }
    cases += "    ) ;;\n";
  }
  return replaced(
      std::string(kZshTemplate),
      {{"@NAMES@", names}, {"@CASES@", cases}, {"@ALTERNATIVES@", command_names(program, "|")}});
}

std::string fish_script(const CLI::App& program) {
  std::string text =
      "# fish completion for moviechat; made by: moviechat completions fish\n"
      "complete -c moviechat -f\n";
  const auto fish_quoted = [](const std::string& text) { return quoted(text, "\\'"); };
  for (const CLI::App* command : commands_of(program)) {
    text += fmt::format("complete -c moviechat -n __fish_use_subcommand -a {} -d {}\n",
                        command->get_name(), fish_quoted(summary_of(*command)));
  }
  const std::string names = command_names(program, " ");
  for (const CLI::App* command : commands_of(program)) {
    // Without a command, the flags of `ask` hold.
    const std::string seen =
        command == commands_of(program).front()
            ? "not __fish_seen_subcommand_from " + names.substr(names.find(' ') + 1)
            : "__fish_seen_subcommand_from " + command->get_name();
    const auto add = [&](const std::string& what) {
      text += fmt::format("complete -c moviechat -n '{}'{}\n", seen, what);
    };
    for (const CLI::Option* flag : flags_of(*command)) {
      add(fmt::format(" -l {} -d {}{}", flag_name(*flag).substr(2),
                      fish_quoted(flag->get_description()),
                      takes_value(*flag) ? " -x" + candidates(flag, kFish) : ""));
    }
    if (operand_of(*command) != nullptr) add(candidates(operand_of(*command), kFish));
  }
  return text;
}

}  // namespace

CLI::App* add_completions(CLI::App& program, CompletionsOptions& options) {
  CLI::App* command = add_command(
      program, "completions", "print completions for bash, zsh or fish",
      "Prints a script that teaches a shell to complete moviechat's command line.",
      {"moviechat completions bash > moviechat.bash", "moviechat completions zsh > _moviechat",
       "moviechat completions fish > moviechat.fish"});
  set_words(add_operand(*command, "SHELL", options.shell), "bash zsh fish");
  return command;
}

std::string completions(const CLI::App& program, const std::string& shell) {
  if (shell == "bash") return bash_script(program);
  if (shell == "zsh") return zsh_script(program);
  if (shell == "fish") return fish_script(program);
  throw input_error("no completions for '{}'; expected bash, zsh or fish", shell);
}

}  // namespace moviechat::cli
