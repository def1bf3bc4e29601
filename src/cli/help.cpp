#include "cli/help.h"

extern "C" {
#include <libavutil/avutil.h>
}
#include <fmt/format.h>
#include <torch/version.h>

#include <sstream>

#include "cli/program_walk.h"

namespace moviechat::cli {
namespace {

constexpr size_t kColumn = 28;
constexpr size_t kWidth = 98;

/// Text broken into lines, each begun with `indent` blanks but the first.
std::string wrapped(const std::string& text, size_t indent) {
  std::istringstream words(text);
  std::string result;
  std::string word;
  size_t column = 0;
  while (words >> word) {
    if (column > 0 && indent + column + 1 + word.size() > kWidth) {
      result += "\n" + std::string(indent, ' ');
      column = 0;
    }
    result += (column > 0 ? " " : "") + word;
    column += word.size() + (column > 0 ? 1 : 0);
  }
  return result;
}

/// "  --flag ARGUMENT   help", the help in a column of its own.
std::string entry(const std::string& left, const std::string& help) {
  const bool fits = left.size() + 4 <= kColumn;
  return fmt::format("  {:<{}}{}{}\n", left, kColumn - 2,
                     fits ? "" : "\n" + std::string(kColumn, ' '), wrapped(help, kColumn));
}

std::string flag_entry(const CLI::Option& flag) {
  const std::string value = flag.get_default_str();
  return entry(flag_name(flag) + (takes_value(flag) ? " " + argument_of(flag) : ""),
               flag.get_description() + (value.empty() ? "" : fmt::format(" [{}]", value)));
}

}  // namespace

std::string usage_of(const CLI::App& command, bool named) {
  std::string text = named ? " " + command.get_name() : "";
  if (const CLI::Option* operand = operand_of(command)) text += " " + argument_of(*operand);
  if (command.get_name() == "ask") text += " --video FILE --question TEXT";
  return text;
}

std::string usage_text(const CLI::App& program) {
  std::string text = "Usage:";
  for (const CLI::App* command : commands_of(program)) {
    const bool named = command != commands_of(program).front();
    text +=
        fmt::format("{} moviechat{} [FLAGS]\n", named ? "      " : "", usage_of(*command, named));
  }
  return text + "moviechat --help tells more.\n";
}

std::string help_text(const CLI::App& program, const CLI::App& command, bool named) {
  std::string text =
      named ? fmt::format("moviechat {}: {}\n", command.get_name(), summary_of(command))
            : fmt::format("moviechat {}.\n", program.get_description());
  text += fmt::format("\nUsage: moviechat{} [FLAGS]\n\n{}\n", usage_of(command, named),
                      wrapped(details_of(command), 0));
  if (!named) {
    text += "\nCommands (moviechat COMMAND --help tells more):\n";
    for (const CLI::App* one : commands_of(program)) {
      const CLI::Option* operand = operand_of(*one);
      text += entry(one->get_name() + (operand == nullptr ? "" : " " + argument_of(*operand)),
                    summary_of(*one));
    }
  }
  std::string heading;
  for (const CLI::Option* flag : flags_of(command)) {
    if (flag->get_group() != heading) text += fmt::format("\n{}:\n", flag->get_group());
    heading = flag->get_group();
    text += flag_entry(*flag);
  }
  text += "\nExamples:\n";
  for (const std::string& example : examples_of(command)) text += fmt::format("  {}\n", example);
  if (command.get_name() != "ask") return text;
  return text + "\n" +
         wrapped(
             "Settings come from, the later the stronger: what is built in, the bundle, the "
             "profile, --config, environment variables (MOVIECHAT_MODEL, MOVIECHAT_DEVICE, "
             "MOVIECHAT_GENERATION_SEED, ...), flags in their order. In brackets: the values that "
             "hold without flags.",
             0) +
         "\n" +
         wrapped(
             "Exit codes: 0 all answered, 1 a failure of ours, 2 usage or input, 3 some films or "
             "questions failed, 129, 130 and 143 after SIGHUP, SIGINT and SIGTERM.",
             0) +
         "\n";
}

std::string version_text() {
  return fmt::format("moviechat {} (libtorch {}, FFmpeg {})\n", MOVIECHAT_VERSION, TORCH_VERSION,
                     av_version_info());
}

}  // namespace moviechat::cli
