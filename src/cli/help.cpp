#include "cli/help.h"

extern "C" {
#include <libavutil/avutil.h>
}
#include <torch/version.h>

#include <algorithm>
#include <sstream>

#include "cli/program_settings.h"
#include "moviechat/fields.h"

namespace moviechat::cli {
namespace {

constexpr size_t kColumn = 28;

/// "  --flag ARGUMENT   help", the help in a column of its own.
std::string entry(const std::string& left, const std::string& help) {
  std::string line = "  " + left;
  if (line.size() + 2 > kColumn) {
    line += "\n" + std::string(kColumn, ' ');
  } else {
    line.resize(kColumn, ' ');
  }
  return line + wrapped(help, kColumn, 98 - kColumn) + "\n";
}

std::string flag_help(const Flag& flag) {
  std::string text(flag.help);
  const std::string value = default_of(flag);
  if (!flag.argument.empty() && !value.empty()) text += " [" + value + "]";
  return text;
}

}  // namespace

std::string default_of(const Flag& flag) {
  for (const FieldText& field : list_fields(ProgramSettings{})) {
    if (!flag.setting.empty() && field.key == flag.setting) return field.value;
  }
  return "";
}

std::string wrapped(std::string_view text, size_t indent, size_t width) {
  std::istringstream words{std::string(text)};
  std::string result;
  std::string word;
  size_t column = 0;
  while (words >> word) {
    if (column > 0 && column + 1 + word.size() > width) {
      result += "\n" + std::string(indent, ' ');
      column = 0;
    }
    if (column > 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

std::string help_text(const Command& command, bool named) {
  std::string text;
  if (named) {
    text += "moviechat " + std::string(command.name) + ": " + std::string(command.summary) + "\n\n";
  } else {
    text += "moviechat answers questions about films of any length.\n\n";
  }
  std::string usage =
      "Usage: moviechat" + (named ? " " + std::string(command.name) : std::string());
  if (!command.operand.empty()) usage += " " + std::string(command.operand);
  if (command.name == "ask") usage += " --video FILE --question TEXT";
  text += usage + " [FLAGS]\n\n" + wrapped(command.description, 0) + "\n\n";

  if (!named) {
    text += "Commands (moviechat COMMAND --help tells more):\n";
    for (const Command& one : commands()) {
      text +=
          entry(std::string(one.name) + (one.operand.empty() ? "" : " " + std::string(one.operand)),
                std::string(one.summary));
    }
    text += "\n";
  }

  std::string_view group;
  for (const Flag* flag : flags_of(command)) {
    if (flag->group != group) {
      text += (group.empty() ? "" : "\n") + std::string(flag->group) + ":\n";
      group = flag->group;
    }
    const std::string argument = flag->argument.empty() ? "" : " " + std::string(flag->argument);
    text += entry(std::string(flag->name) + argument, flag_help(*flag));
  }

  text += "\nExamples:\n";
  for (const std::string_view example : command.examples) {
    text += "  " + std::string(example) + "\n";
  }
  if (command.name == "ask") {
    text += "\n" +
            wrapped(
                "Settings come from, the later the stronger: what is built in, the "
                "bundle, the profile, --config, environment variables (MOVIECHAT_MODEL, "
                "MOVIECHAT_DEVICE, MOVIECHAT_GENERATION_SEED, ...), flags in their order.",
                0) +
            "\n" +
            wrapped(
                "Exit codes: 0 all answered, 1 a failure of ours, 2 usage or input, 3 some films "
                "or questions failed, 129, 130 and 143 after SIGHUP, SIGINT and SIGTERM.",
                0) +
            "\n";
  }
  return text;
}

std::string version_text() {
  return "moviechat " MOVIECHAT_VERSION " (libtorch " TORCH_VERSION ", FFmpeg " +
         std::string(av_version_info()) + ")\n";
}

}  // namespace moviechat::cli
