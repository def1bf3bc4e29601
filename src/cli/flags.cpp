#include "cli/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/message.h"
#include "cli/help.h"
#include "cli/program_walk.h"
#include "cli/templates.h"

namespace moviechat::cli {
namespace {

/// An empty value of such an argument is a mistake.
bool names_something(std::string_view argument) {
  constexpr std::array<std::string_view, 5> kNames = {"FILE", "DIR", "PATH", "NAME", "URL"};
  return std::find(kNames.begin(), kNames.end(), argument) != kNames.end();
}

/// Adds an option that gets one value each time that it is given: no list is made of "[a,b]". `use`
/// has them as they were given; what CLI11 hands to callbacks it changes ("{}" in 2.4).
CLI::Option* add_option(CLI::App& command, const std::string& name, const std::string& argument,
                        bool repeats, std::function<void(const CLI::results_t&)> use) {
  CLI::callback_t callback = [&command, name, use = std::move(use)](const CLI::results_t&) {
    use(command.get_option(name)->results());
    return true;
  };
  return command.add_option(name, std::move(callback))
      ->expected(1, repeats ? CLI::detail::expected_max_vector_size : 1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->type_name(argument);
}

}  // namespace

CLI::App* add_command(CLI::App& program, const std::string& name, const std::string& summary,
                      const std::string& details, std::initializer_list<const char*> examples) {
  CLI::App* command = program.add_subcommand(name, summary + "\n" + details);
  command->set_help_flag();
  command->footer(fmt::format("{}", fmt::join(examples, "\n")));
  return command;
}

void add_heading(CLI::App& command, const std::string& heading) {
  command.option_defaults()->group(heading);
}

void add_version_and_help(CLI::App& command) {
  add_heading(command, std::string(kLastHeading));
  command.set_version_flag("--version", version_text, "print the version");
  command.set_help_flag("--help,-h", "print this help");
}

CLI::Option* add_reader(CLI::App& command, const std::string& spec, ReadValue read,
                        const std::string& help, const std::string& example, bool repeats) {
  const size_t blank = spec.find(' ');
  const std::string name = spec.substr(0, blank);
  const std::string argument = spec.substr(blank + 1);
  const auto use = [name, repeats, read = std::move(read)](const CLI::results_t& values) {
    if (values.size() > 1 && !repeats) {
      throw input_error("{} is given twice ('{}' and '{}')", name, values[0], values[1]);
    }
    for (const std::string& value : values) read(name, value);
  };
  CLI::Option* option = add_option(command, name, argument, repeats, use);
  option->description(help)->option_text(example);
  if (names_something(argument)) {
    option->check([spec, name](const std::string& value) {
      if (!value.empty()) return std::string();
      throw input_error("{} needs a value, found an empty one: {}", name, spec);
    });
  }
  return option;
}

CLI::Option* add_switch(CLI::App& command, const std::string& name, bool& field,
                        const std::string& help) {
  const auto set = [&field, name](int64_t count) {
    if (count > 1) throw InputError(name + " is given twice");
    field = true;
  };
  return command.add_flag_function(name, set, help);
}

CLI::Option* add_operand(CLI::App& command, const std::string& argument,
                         std::optional<std::string>& field) {
  return add_option(command, kOperand, argument, false,
                    [&field](const CLI::results_t& words) { field = words.at(0); });
}
CLI::Option* add_operand(CLI::App& command, const std::string& argument,
                         std::vector<std::filesystem::path>& field) {
  return add_option(command, kOperand, argument, true, [&field](const CLI::results_t& words) {
    field.assign(words.begin(), words.end());
  });
}

CLI::Option* set_words(CLI::Option* option, const std::string& words) {
  return option->check(CLI::Validator(replaced(words, {{",", ""}})));
}

LogLevel LogFlags::level() const {
  if (!quiet) return named.value_or(LogLevel::info);
  if (named && *named != LogLevel::error) {
    throw input_error("--quiet and --log-level {} contradict each other; give one of them",
                      name_of(*named));
  }
  return LogLevel::error;
}

void add_log_flags(CLI::App& command, LogFlags& flags) {
  add_value(command, "--log-level LEVEL", flags.named,
            "what is told on stderr: error, warn, info (progress too; default) or debug (timings "
            "too)",
            "debug");
  add_switch(command, "--quiet", flags.quiet, "the same as --log-level error");
}

std::string film_path(const std::string& given) { return given == "-" ? "/dev/stdin" : given; }

}  // namespace moviechat::cli
