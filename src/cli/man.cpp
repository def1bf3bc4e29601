#include "cli/man.h"

#include <string_view>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/program_settings.h"

namespace moviechat::cli {
namespace {

/// Text as roff shows it: no character of it is a request or an escape.
std::string plain(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else if (c == '\'') {
      result += "\\(aq";
    } else if (c == '"') {
      result += "\\(dq";
    } else if (result.empty() && c == '.') {
      result += "\\&.";
    } else {
      result += c;
    }
  }
  return result;
}

std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

std::string tagged(const std::string& tag, const std::string& text) {
  return ".TP\n" + tag + "\n" + text + "\n";
}

std::string synopsis() {
  std::string text = ".SH SYNOPSIS\n.nf\n" + bold("moviechat") + " " + bold("--video") + " " +
                     italic("FILE") + " " + bold("--question") + " " + italic("TEXT") + " [" +
                     bold("--at") + " " + italic("TIME") + "] [" + italic("FLAGS") + "]\n";
  for (const Command& command : commands()) {
    if (&command == &commands().front()) continue;  // its name may be left out, as above
    text += bold("moviechat " + std::string(command.name)) +
            (command.operand.empty() ? "" : " " + italic(command.operand)) + " [" +
            italic("FLAGS") + "]\n";
  }
  return text + ".fi\n";
}

std::string command_section() {
  std::string text = ".SH COMMANDS\n";
  for (const Command& command : commands()) {
    const std::string operand = command.operand.empty() ? "" : " " + italic(command.operand);
    text += tagged(bold(command.name) + operand,
                   plain(command.summary) + ".\n" + plain(command.description));
  }
  return text;
}

std::string used_by(const Flag& flag) {
  std::string names;
  size_t count = 0;
  for (const Command& command : commands()) {
    for (const Flag* one : flags_of(command)) {
      if (one != &flag) continue;
      names += (names.empty() ? "" : ", ") + std::string(command.name);
      ++count;
    }
  }
  return count == commands().size() ? "all commands" : names;
}

std::string flag_section() {
  std::string text = ".SH OPTIONS\n";
  std::string_view group;
  for (const Flag& flag : flags()) {
    if (flag.group != group) {
      text += ".SS " + plain(flag.group) + "\n";
      group = flag.group;
    }
    std::string help = plain(flag.help) + ".";
    if (const std::string value = default_of(flag); !flag.argument.empty() && !value.empty()) {
      help += " Default: " + plain(value) + ".";
    }
    if (!flag.example.empty()) {
      help += " Example: " + bold(std::string(flag.name) + " " + std::string(flag.example)) + ".";
    }
    if (flag.repeats) help += " May be repeated.";
    help += " (" + plain(used_by(flag)) + ")";
    text +=
        tagged(bold(flag.name) + (flag.argument.empty() ? "" : " " + italic(flag.argument)), help);
  }
  return text;
}

std::string settings_section() {
  std::string text = ".SH SETTINGS\n" +
                     plain(
                         "Reached by --set KEY=VALUE, by --config FILE (YAML), and by environment "
                         "variables: MOVIECHAT_ and the key in capitals, its dot an underscore "
                         "(generation.seed: MOVIECHAT_GENERATION_SEED; also MOVIECHAT_DEVICE and "
                         "MOVIECHAT_PLAN). The later is the stronger: built-in values, the bundle, "
                         "the profile, --config, the environment, flags in their order.") +
                     "\n";
  for (const FieldText& field : list_fields(ProgramSettings{})) {
    std::string help = plain(field.help) + " (" + plain(field.takes) + ")";
    if (!field.value.empty()) help += ". Default: " + plain(field.value);
    text += tagged(bold(field.key), help + ".");
  }
  return text;
}

std::string output_section() {
  return ".SH OUTPUT\n" +
         plain(
             "text: one question: its answer, as it is. Several: a line for each, in the order of "
             "the questions. With --evidence, each answer is followed by lines [START - END] "
             "SCORE, "
             "indented by two spaces.") +
         "\n.PP\n" +
         plain(
             "json: one object: schema_version, version, bundle, video, profile, plan, results "
             "(question, mode, at, answer, token_ids, finish_reason, prompt_tokens, answer_tokens, "
             "evidence), counts, seconds, peak_memory_bytes, seed.") +
         "\n.PP\n" +
         plain(
             "jsonl: a line for each question: an object of json's results, with the video's path "
             "before it.") +
         "\n.PP\n" +
         plain(
             "srt: a subtitle for each question: over the whole film, or from its moment on for "
             "five seconds; with --evidence one over each span.") +
         "\n";
}

std::string exit_section() {
  return ".SH EXIT STATUS\n" + tagged("0", "All questions were answered.") +
         tagged("1", "A failure of the program or the machine (a full disk).") +
         tagged("2",
                "Usage or input: a flag, a file, a question or a bundle that cannot be used.") +
         tagged("3", "Some films or questions failed; the rest is done.") +
         tagged("129", "Stopped by SIGHUP.") + tagged("130, 143", "Stopped by SIGINT or SIGTERM.");
}

std::string files_section() {
  return ".SH FILES AND ENVIRONMENT\n" +
         tagged(bold("MOVIECHAT_HOME"),
                plain("The folder with configs/ and models/; by default share/moviechat beside the "
                      "program, or its source tree.")) +
         tagged(bold("configs/NAME.yaml"), "The profiles.") +
         tagged(
             bold("models/mini"),
             plain("The bundle used without --model. A bundle holds programs: trust it like one."));
}

std::string example_section() {
  std::string text = ".SH EXAMPLES\n.nf\n";
  for (const Command& command : commands()) {
    for (const std::string_view example : command.examples) text += plain(example) + "\n";
  }
  return text + ".fi\n";
}

}  // namespace

std::string man_page() {
  return ".TH MOVIECHAT 1 \"\" \"moviechat " MOVIECHAT_VERSION
         "\" \"User Commands\"\n"
         ".SH NAME\n" +
         plain("moviechat") + " \\- answers questions about films of any length\n" + synopsis() +
         ".SH DESCRIPTION\n" +
         plain(
             "moviechat watches a film once, keeps a small memory of it, and asks a language model "
             "about that memory: about the whole film, or about one moment. Answers go to stdout; "
             "progress, warnings and timings to stderr.") +
         "\n" + command_section() + flag_section() + settings_section() + output_section() +
         exit_section() + files_section() + example_section();
}

}  // namespace moviechat::cli
