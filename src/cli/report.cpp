#include "cli/report.h"

#include <fmt/format.h>

#include "base/message.h"
#include "base/moment.h"
#include "cli/flags.h"

namespace moviechat::cli {

Format FormatFlags::format() const {
  if (!json) return named.value_or(Format::text);
  if (named && *named != Format::json) {
    throw input_error("--json and --format {} contradict each other; give one of them",
                      name_of(*named));
  }
  return Format::json;
}

Format FormatFlags::text_or_json(std::string_view command) const {
  const Format chosen = format();
  if (chosen == Format::text || chosen == Format::json) return chosen;
  throw input_error("{} prints text or json, got --format {}", command, name_of(chosen));
}

void add_format_flags(CLI::App& command, FormatFlags& flags, const std::string& help,
                      const std::string& words) {
  const auto read = [&flags](const std::string& flag, const std::string& text) {
    from_text(flag, text, flags.named.emplace());
  };
  set_words(add_reader(command, "--format FORMAT", read, "how " + help, "json"), words);
  add_switch(command, "--json", flags.json, "the same as --format json");
}

std::string format_text(const Answer& answer, bool several) {
  std::string text = (several ? one_line(answer.text) : answer.text) + "\n";
  for (const Evidence& one : answer.evidence) {
    text +=
        fmt::format("  [{} - {}] {:.3f}\n", clock_text(one.start), clock_text(one.end), one.score);
  }
  return text;
}

std::string format_text(const RunReport& report) {
  const std::vector<Answer>& answers = report.run.answers;
  std::string text;
  for (const Answer& answer : answers) text += format_text(answer, answers.size() > 1);
  return text;
}

std::string format_jsonl(const std::string& video, const Answer& answer, bool evidence) {
  Json json = {{"video", video}};
  json.update(answer_json(answer, evidence));
  return json_text(json) + "\n";
}

std::string format_jsonl(const RunReport& report) {
  std::string lines;
  for (const Answer& answer : report.run.answers) {
    lines += format_jsonl(report.video, answer, report.evidence);
  }
  return lines;
}

std::string format_report(const RunReport& report, Format format) {
  switch (format) {
    case Format::text:
      return format_text(report);
    case Format::json:
      return printed(report_json(report));
    case Format::jsonl:
      return format_jsonl(report);
    case Format::srt:
      return format_srt(report);
  }
  throw Error("a format without a printer");
}

}  // namespace moviechat::cli
