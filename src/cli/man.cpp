#include "cli/man.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/flags.h"
#include "cli/program_walk.h"
#include "cli/templates.h"

namespace moviechat::cli {
namespace {

/// Text as roff shows it: no character of it is a request or an escape.
std::string plain(const std::string& text) {
  return (text.starts_with(".") ? "\\&" : "") +
         replaced(text, {{"\\", "\\e"}, {"-", "\\-"}, {"'", "\\(aq"}, {"\"", "\\(dq"}});
}
std::string bold(const std::string& text) { return fmt::format("\\fB{}\\fR", plain(text)); }
/// " ARGUMENT", or nothing.
std::string after(const std::string& argument) {
  return argument.empty() ? "" : fmt::format(" \\fI{}\\fR", plain(argument));
}
std::string operand_after(const CLI::App& command) {
  const CLI::Option* operand = operand_of(command);
  return operand == nullptr ? "" : after(argument_of(*operand));
}
std::string tagged(const std::string& tag, const std::string& text) {
  return fmt::format(".TP\n{}\n{}\n", tag, text);
}

/// A flag, and the commands that have just this one.
struct SharedFlag {
  const CLI::Option* flag;
  std::vector<std::string> commands;

  bool is(const CLI::Option& other) const {
    return flag_name(*flag) == flag_name(other) && argument_of(*flag) == argument_of(other) &&
           flag->get_description() == other.get_description() &&
           flag->get_default_str() == other.get_default_str();
  }
};

/// The flags of all commands, those of one heading together.
std::vector<SharedFlag> shared_flags(const CLI::App& program) {
  std::vector<SharedFlag> all;
  std::vector<std::string> headings;
  for (const CLI::App* command : commands_of(program)) {
    for (const CLI::Option* flag : flags_of(*command)) {
      headings.push_back(flag->get_group());
      auto known =
          std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.is(*flag); });
      if (known == all.end()) known = all.insert(all.end(), {flag, {}});
      known->commands.push_back(command->get_name());
    }
  }
  std::stable_partition(headings.begin(), headings.end(),
                        [](const std::string& heading) { return heading != kLastHeading; });
  const auto place = [&](const SharedFlag& one) {
    return std::find(headings.begin(), headings.end(), one.flag->get_group());
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const SharedFlag& a, const SharedFlag& b) { return place(a) < place(b); });
  return all;
}

std::string flag_section(const CLI::App& program) {
  std::string text;
  std::string heading;
  for (const auto& [flag, commands] : shared_flags(program)) {
    if (flag->get_group() != heading) text += fmt::format(".SS {}\n", plain(flag->get_group()));
    heading = flag->get_group();
    std::string help = plain(flag->get_description()) + ".";
    const std::string value = flag->get_default_str();
    if (!value.empty()) help += fmt::format(" Default: {}.", plain(value));
    if (takes_value(*flag)) {
      help += fmt::format(" Example: {}.", bold(flag_name(*flag) + " " + example_of(*flag)));
    }
    if (is_repeatable(*flag)) help += " May be repeated.";
    const bool everywhere = commands.size() == commands_of(program).size();
    help += everywhere ? " (all commands)" : fmt::format(" ({})", fmt::join(commands, ", "));
    text += tagged(bold(flag_name(*flag)) + after(argument_of(*flag)), help);
  }
  return text;
}

}  // namespace

CLI::App* add_man(CLI::App& program, ManOptions& /*options*/) {
  return add_command(program, "man", "print the manual page (roff)",
                     "Prints the manual page; man -l reads it.", {"moviechat man > moviechat.1"});
}

std::string man_page(const CLI::App& program, const std::vector<FieldText>& settings) {
  std::string synopsis;
  std::string commands;
  std::string examples;
  for (const CLI::App* command : commands_of(program)) {
    const std::string name = command->get_name();
    const std::string operand = operand_after(*command);
    if (command != commands_of(program).front()) {  // its name may be left out: the first line
      synopsis += fmt::format("{}{} [\\fIFLAGS\\fR]\n", bold("moviechat " + name), operand);
    }
    commands += tagged(bold(name) + operand,
                       plain(summary_of(*command)) + ".\n" + plain(details_of(*command)));
    for (const std::string& example : examples_of(*command)) examples += plain(example) + "\n";
  }
  std::string fields;
  for (const FieldText& field : settings) {
    const std::string value = field.value.empty() ? "" : ". Default: " + plain(field.value);
    fields += tagged(bold(field.key),
                     fmt::format("{} ({}){}.", plain(field.help), plain(field.takes), value));
  }
  return replaced(std::string(kManTemplate), {{"@VERSION@", MOVIECHAT_VERSION},
                                              {"@DESCRIPTION@", program.get_description()},
                                              {"@SYNOPSIS@", synopsis},
                                              {"@COMMANDS@", commands},
                                              {"@OPTIONS@", flag_section(program)},
                                              {"@SETTINGS@", fields},
                                              {"@EXAMPLES@", examples}});
}

}  // namespace moviechat::cli
