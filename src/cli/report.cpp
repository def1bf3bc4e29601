#include "cli/report.h"

namespace moviechat::cli {

Format format_of(const Arguments& arguments) {
  Format format = Format::text;
  const auto named = arguments.value("--format");
  if (named) from_text("--format", *named, format);
  if (!arguments.has("--json")) return format;
  if (named && format != Format::json) {
    throw InputError("--json and --format " + *named + " contradict each other; give one of them");
  }
  return Format::json;
}

std::string format_report(const Report& report, Format format) {
  switch (format) {
    case Format::text:
      return format_text(report);
    case Format::json:
      return format_json(report);
    case Format::jsonl:
      return format_jsonl(report);
    case Format::srt:
      return format_srt(report);
  }
  throw Error("a format without a printer");
}

}  // namespace moviechat::cli
