#pragma once

#include <CLI/CLI.hpp>
#include <initializer_list>
#include <optional>
#include <string>

#include "engine/result_json.h"
#include "moviechat/fields.h"

namespace moviechat::cli {

using Json = nlohmann::ordered_json;
/// JSON as it is printed: indented, with a line end.
inline std::string printed(const Json& json) { return json_text(json, 2) + "\n"; }

enum class Format { text, json, jsonl, srt };

/// --format and --json.
struct FormatFlags {
  std::optional<Format> named;
  bool json = false;

  /// InputError when they contradict each other.
  Format format() const;
  /// The same of a command that prints text or JSON alone.
  Format text_or_json(std::string_view command) const;
};
void add_format_flags(CLI::App& command, FormatFlags& flags, const std::string& help,
                      const std::string& words);

/// One question: its answer. Several: a line each, in the order of the questions. With evidence,
/// lines "  [0:00:12.000 - 0:00:18.500] 0.42" below each.
std::string format_text(const RunReport& report);
std::string format_text(const Answer& answer, bool several);

/// A line for each question: its object of the results in JSON, after the video's path.
std::string format_jsonl(const RunReport& report);
std::string format_jsonl(const std::string& video, const Answer& answer, bool evidence);

/// Subtitles in time order: each answer over the whole film, or from its moment on for five
/// seconds; with evidence, over each of its spans.
std::string format_srt(const RunReport& report);

std::string format_report(const RunReport& report, Format format);

}  // namespace moviechat::cli

namespace moviechat {
template <>
struct EnumNames<cli::Format> {
  static constexpr std::array values{std::pair{std::string_view("text"), cli::Format::text},
                                     std::pair{std::string_view("json"), cli::Format::json},
                                     std::pair{std::string_view("jsonl"), cli::Format::jsonl},
                                     std::pair{std::string_view("srt"), cli::Format::srt}};
};
}  // namespace moviechat
