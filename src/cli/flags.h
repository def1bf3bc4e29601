#pragma once

#include <CLI/CLI.hpp>
#include <concepts>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"
#include "moviechat/fields.h"

namespace moviechat::cli {

// A flag is an option of CLI11 that is bound to a field. What CLI11 keeps of it besides is in
// program_walk.h.

/// Adds a sub-command; the examples are a command line each.
CLI::App* add_command(CLI::App& program, const std::string& name, const std::string& summary,
                      const std::string& details, std::initializer_list<const char*> examples);
/// Flags that follow stand under this heading.
void add_heading(CLI::App& command, const std::string& heading);
/// --version and --help, the last flags of each command.
inline constexpr std::string_view kLastHeading = "Other";
void add_version_and_help(CLI::App& command);

/// Text of one value → a field. `flag` names the value in errors.
using ReadValue = std::function<void(const std::string& flag, const std::string& text)>;

/// Adds a flag that takes a value. `spec` is its name and argument: "--video FILE". An empty value
/// is refused where the argument names something; so is a second one unless the flag `repeats`.
CLI::Option* add_reader(CLI::App& command, const std::string& spec, ReadValue read,
                        const std::string& help, const std::string& example, bool repeats = false);
/// Adds a flag without a value.
CLI::Option* add_switch(CLI::App& command, const std::string& name, bool& field,
                        const std::string& help);
/// Adds what a command takes besides flags, "VIDEO|BUNDLE": one word, or any number.
CLI::Option* add_operand(CLI::App& command, const std::string& argument,
                         std::optional<std::string>& field);
CLI::Option* add_operand(CLI::App& command, const std::string& argument,
                         std::vector<std::filesystem::path>& field);
/// Names words that a value may be, with blanks or commas between them, for completions.
CLI::Option* set_words(CLI::Option* option, const std::string& words);

/// Text → a field: an optional one is set, a vector gets one more; a number may have a range.
template <class Field, class... Range>
void read_value(const std::string& flag, const std::string& text, Field& field,
                const Range&... range) {
  if constexpr (requires { field.emplace_back(); }) {
    read_value(flag, text, field.emplace_back(), range...);
  } else if constexpr (requires { field.emplace(); }) {
    read_value(flag, text, field.emplace(), range...);
  } else if constexpr (std::same_as<Field, std::filesystem::path>) {
    field = text;
  } else {
    from_text(flag, text, field, range...);
  }
}

/// Makes help show a field's value as the default, and completions an enum's names.
template <class Field>
void show_value(CLI::Option* option, const Field& field) {
  if constexpr (NamedEnum<Field>) set_words(option, names_of<Field>());
  if constexpr (NamedEnum<Field> || RangedNumber<Field>) option->default_str(to_text(field));
}
template <NamedEnum Enum>
void show_value(CLI::Option* option, const std::optional<Enum>& /*field*/) {
  set_words(option, names_of<Enum>());
}

/// Adds a flag for a field that read_value() reads; one for a vector may be repeated.
template <class Field, class... Range>
CLI::Option* add_value(CLI::App& command, const std::string& spec, Field& field,
                       const std::string& help, const std::string& example, const Range&... range) {
  const auto read = [&field, range...](const std::string& flag, const std::string& text) {
    read_value(flag, text, field, range...);
  };
  constexpr bool kRepeats = requires { field.emplace_back(); };
  CLI::Option* option = add_reader(command, spec, read, help, example, kRepeats);
  show_value(option, field);
  return option;
}

/// --log-level and --quiet.
struct LogFlags {
  std::optional<LogLevel> named;
  bool quiet = false;

  /// InputError when they contradict each other.
  LogLevel level() const;
};
void add_log_flags(CLI::App& command, LogFlags& flags);

/// The path of the film that --video or an operand names; "-" is standard input, and "./-" a file.
std::string film_path(const std::string& given);

}  // namespace moviechat::cli
