#include "cli/program_walk.h"

#include <sstream>

namespace moviechat::cli {
namespace {

std::string before(const std::string& text, char mark) { return text.substr(0, text.find(mark)); }
std::string after(const std::string& text, char mark) {
  const size_t at = text.find(mark);
  return at == std::string::npos ? "" : text.substr(at + 1);
}

}  // namespace

std::string flag_name(const CLI::Option& option) { return "--" + option.get_lnames().at(0); }
std::string argument_of(const CLI::Option& option) { return before(option.get_type_name(), ':'); }
std::string words_of(const CLI::Option& option) { return after(option.get_type_name(), ':'); }
std::string example_of(const CLI::Option& option) { return option.get_option_text(); }
bool takes_value(const CLI::Option& option) { return option.get_expected_max() > 0; }
bool is_repeatable(const CLI::Option& option) { return option.get_expected_max() > 1; }

std::string summary_of(const CLI::App& command) { return before(command.get_description(), '\n'); }
std::string details_of(const CLI::App& command) { return after(command.get_description(), '\n'); }
std::vector<std::string> examples_of(const CLI::App& command) {
  std::vector<std::string> lines;
  std::istringstream text(command.get_footer());
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}
std::vector<const CLI::Option*> flags_of(const CLI::App& command) {
  return command.get_options([](const CLI::Option* one) { return !one->get_positional(); });
}
const CLI::Option* operand_of(const CLI::App& command) {
  return command.get_option_no_throw(kOperand);
}
std::vector<const CLI::App*> commands_of(const CLI::App& program) {
  return program.get_subcommands([](const CLI::App*) { return true; });
}

}  // namespace moviechat::cli
