#include "cli/completions.h"

#include <sstream>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/program_settings.h"

namespace moviechat::cli {
namespace {

/// What may follow a flag, or stand as a command's operand.
struct Candidates {
  enum class Kind { none, words, files, folders } kind = Kind::none;
  std::string words;
};

/// KEY= of every setting; KEY=VALUE for each of its values where they have names.
std::string setting_words() {
  std::string words;
  for (const FieldText& field : list_fields(ProgramSettings{})) {
    const std::string key = " " + field.key + "=";
    if (field.takes.find(',') == std::string::npos) {
      words += key;
      continue;
    }
    std::istringstream values(field.takes);
    for (std::string value; std::getline(values >> std::ws, value, ',');) words += key + value;
  }
  return words.substr(1);
}

Candidates candidates_of(const Flag& flag, const Command& command) {
  using Kind = Candidates::Kind;
  if (flag.name == "--format") return {Kind::words, std::string(command.formats)};
  if (flag.name == "--set") return {Kind::words, setting_words()};
  if (!flag.values.empty()) return {Kind::words, std::string(flag.values)};
  if (flag.argument == "FILE" || flag.argument == "PATH") return {Kind::files, ""};
  if (flag.argument == "DIR") return {Kind::folders, ""};
  return {};
}

Candidates operand_of(const Command& command) {
  using Kind = Candidates::Kind;
  if (!command.operand_values.empty()) return {Kind::words, std::string(command.operand_values)};
  if (!command.operand.empty()) return {Kind::files, ""};
  return {};
}

std::string command_names(const char* separator = " ") {
  std::string names;
  for (const Command& command : commands()) {
    names += (names.empty() ? "" : separator) + std::string(command.name);
  }
  return names;
}

std::string flag_names(const Command& command) {
  std::string names;
  for (const Flag* flag : flags_of(command)) {
    names += (names.empty() ? "" : " ") + std::string(flag->name);
  }
  return names;
}

/// Text between single quotes in a shell whose quotes end with `escaped` inside them.
std::string quoted(std::string_view text, std::string_view escaped) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += escaped;
    } else {
      result += c;
    }
  }
  return result + "'";
}
std::string shell_quoted(std::string_view text) { return quoted(text, "'\\''"); }
std::string fish_quoted(std::string_view text) { return quoted(text, "\\'"); }

/// The arguments with which bash's compgen finds candidates.
std::string bash_action(const Candidates& candidates) {
  switch (candidates.kind) {
    case Candidates::Kind::words:
      return "-W " + shell_quoted(candidates.words);
    case Candidates::Kind::files:
      return "-f";
    case Candidates::Kind::folders:
      return "-d";
    case Candidates::Kind::none:
      break;
  }
  return "";
}

/// What may follow each flag of a command that takes a value, and stand elsewhere.
std::string bash_case(const Command& command) {
  std::string text = "    " + std::string(command.name) + ")\n      case $previous in\n";
  for (const Flag* flag : flags_of(command)) {
    if (flag->argument.empty()) continue;
    text += "        " + std::string(flag->name) + ") action=(" +
            bash_action(candidates_of(*flag, command)) + ") ;;\n";
  }
  return text + "        *) case $typed in\n          --*=*) ;;\n          -*) action=(" +
         bash_action({Candidates::Kind::words, flag_names(command)}) +
         ") ;;\n          *) action=(" + bash_action(operand_of(command)) +
         ") ;;\n        esac ;;\n      esac ;;\n";
}

std::string bash_script() {
  std::string text = R"sh(# bash completion for moviechat; made by: moviechat completions bash
_moviechat() {
  local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} words=() gap piece i
  # Bash splits words at = and :, too: what no blank parts is put together again.
  for ((i = 0; i <= COMP_CWORD; ++i)); do
    gap=${line%%[![:blank:]]*}
    line=${line#"$gap"}
    piece=${COMP_WORDS[i]}
    ((i == COMP_CWORD)) && piece=$line
    line=${line#"$piece"}
    if ((i > 0)) && [[ ! $gap && ( $piece == [=:]* || ${words[-1]} == *[=:] ) ]]; then
      words[-1]+=$piece
    else
      words+=("$piece")
    fi
  done
  ((${#words[@]} > 1)) || return

  # --flag=word is the word of a flag; quotes and backslashes are the shell's.
  local typed=${words[-1]} previous=${words[-2]} head=
  if [[ $typed == --*=* ]]; then
    previous=${typed%%=*}
    head=$previous=
  fi
  local word=${typed#"$head"} kept= breaks=${COMP_WORDBREAKS//[!=:]/}
  local last_break="^(.*[^\\])?[$breaks]"
  if [[ $word == [\"\']* ]]; then
    word=${word:1}
    kept=$head
  else
    word=${word//\\/}
    [[ $breaks && $typed =~ $last_break ]] && kept=${BASH_REMATCH[0]//\\/}
  fi

  local command=ask action=()
  case ${words[1]} in
    )sh" + command_names("|") +
                     R"sh() ((${#words[@]} > 2)) && command=${words[1]} ;;
  esac
  case $command in
)sh";
  for (const Command& command : commands()) text += bash_case(command);
  return text + R"sh(  esac
  ((${#words[@]} == 2)) && [[ $typed != -* ]] && action=()sh" +
         bash_action({Candidates::Kind::words, command_names()}) + R"sh()
  COMPREPLY=()
  ((${#action[@]})) || return
  mapfile -t COMPREPLY < <(compgen "${action[@]}" -- "$word")
  [[ ${action[0]} == -[fd] ]] && compopt -o filenames 2>/dev/null
  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:] ]] && compopt -o nospace 2>/dev/null
  # Bash keeps what stands before the last = or :.
  COMPREPLY=("${COMPREPLY[@]/#/$head}")
  COMPREPLY=("${COMPREPLY[@]#"$kept"}")
  return 0
}
complete -F _moviechat moviechat
)sh";
}

/// What _arguments calls to complete a value.
std::string zsh_action(const Candidates& candidates) {
  switch (candidates.kind) {
    case Candidates::Kind::words:
      return "(" + candidates.words + ")";
    case Candidates::Kind::files:
      return "_files";
    case Candidates::Kind::folders:
      return "_files -/";
    case Candidates::Kind::none:
      break;
  }
  return " ";
}

/// Text inside a specification of _arguments.
std::string zsh_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

std::string zsh_script() {
  std::string text =
      "#compdef moviechat\n"
      "# zsh completion for moviechat; made by: moviechat completions zsh\n"
      "_moviechat() {\n"
      "  local command=ask\n"
      "  local -a specs\n"
      "  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
      "    local -a names=(\n";
  for (const Command& command : commands()) {
    text +=
        "      " + shell_quoted(std::string(command.name) + ":" + zsh_text(command.summary)) + "\n";
  }
  text +=
      "    )\n"
      "    _describe 'command' names\n"
      "    return\n"
      "  fi\n"
      "  case $words[2] in\n"
      "    (" +
      command_names("|") +
      ") command=$words[2]; shift words; (( CURRENT-- )) ;;\n"
      "  esac\n"
      "  case $command in\n";
  for (const Command& command : commands()) {
    text += "    (" + std::string(command.name) + ")\n      specs=(\n";
    for (const Flag* flag : flags_of(command)) {
      std::string spec =
          (flag->repeats ? "*" : "") + std::string(flag->name) + "[" + zsh_text(flag->help) + "]";
      if (!flag->argument.empty()) {
        spec += ":" + zsh_text(flag->argument) + ":" + zsh_action(candidates_of(*flag, command));
      }
      text += "        " + shell_quoted(spec) + "\n";
    }
    if (!command.operand.empty()) {
      text += "        " +
              shell_quoted((command.operand_repeats ? "*:" : "1:") + zsh_text(command.operand) +
                           ":" + zsh_action(operand_of(command))) +
              "\n";
    }
    text += "      ) ;;\n";
  }
  return text +
         "  esac\n  _arguments -s : $specs\n}\n"
         "if [ \"$funcstack[1]\" = \"_moviechat\" ]; then\n  _moviechat \"$@\"\nelse\n"
         "  compdef _moviechat moviechat\nfi\n";
}

std::string fish_script() {
  std::string text =
      "# fish completion for moviechat; made by: moviechat completions fish\n"
      "complete -c moviechat -f\n";
  const std::string names = command_names();
  for (const Command& command : commands()) {
    text += "complete -c moviechat -n __fish_use_subcommand -a " + std::string(command.name) +
            " -d " + fish_quoted(command.summary) + "\n";
  }
  for (const Command& command : commands()) {
    // Without a command, the flags of `ask` hold.
    const std::string seen = "__fish_seen_subcommand_from ";
    const std::string here = command.name == commands().front().name
                                 ? "not " + seen + names.substr(names.find(' ') + 1)
                                 : seen + std::string(command.name);
    for (const Flag* flag : flags_of(command)) {
      text += "complete -c moviechat -n " + fish_quoted(here) + " -l " +
              std::string(flag->name.substr(2)) + " -d " + fish_quoted(flag->help);
      if (!flag->argument.empty()) {
        const Candidates candidates = candidates_of(*flag, command);
        text += " -x";
        if (candidates.kind == Candidates::Kind::words) {
          text += " -a " + fish_quoted(candidates.words);
        } else if (candidates.kind == Candidates::Kind::files) {
          text += " -a '(__fish_complete_path)'";
        } else if (candidates.kind == Candidates::Kind::folders) {
          text += " -a '(__fish_complete_directories)'";
        }
      }
      text += "\n";
    }
    const Candidates operand = operand_of(command);
    if (operand.kind == Candidates::Kind::words) {
      text += "complete -c moviechat -n " + fish_quoted(here) + " -a " +
              fish_quoted(operand.words) + "\n";
    } else if (operand.kind == Candidates::Kind::files) {
      text += "complete -c moviechat -n " + fish_quoted(here) + " -a '(__fish_complete_path)'\n";
    }
  }
  return text;
}

}  // namespace

std::string completions(const std::string& shell) {
  if (shell == "bash") return bash_script();
  if (shell == "zsh") return zsh_script();
  if (shell == "fish") return fish_script();
  throw InputError("no completions for '" + shell + "'; expected bash, zsh or fish");
}

}  // namespace moviechat::cli
