#pragma once

#include <string>
#include "base/json.h"

#include "cli/program_settings.h"
#include "moviechat/engine.h"
#include "moviechat/process.h"

namespace moviechat::cli {

enum class Format { text, json, jsonl, srt };

/// --format and --json. InputError when they contradict each other.
Format format_of(const Arguments& arguments);

/// A run as the formats print it.
struct Report {
  ProgramSettings settings;
  std::string bundle_name;
  std::string bundle_sha256;
  std::string video;                  // as given
  std::optional<TimesFrom> features;  // it is a file of features, their times found there
  bool evidence = false;
  RunResult run;
  int64_t peak_memory_bytes = 0;
};

/// One question: its answer. Several: a line each, in the order of the questions. With evidence,
/// lines "  [0:00:12.000 - 0:00:18.500] 0.42" below each.
std::string format_text(const Report& report);
std::string format_text(const Answer& answer, bool several);

/// One object; the keys are promised to other programs.
std::string format_json(const Report& report);

/// A line for each question: an object of format_json's results, after the video's path.
std::string format_jsonl(const Report& report);
std::string format_jsonl(const std::string& video, const Answer& answer, bool evidence);

/// Subtitles in time order: each answer over the whole film, or from its moment on for five
/// seconds; with evidence, over each of its spans.
std::string format_srt(const Report& report);

std::string format_report(const Report& report, Format format);

using Json = nlohmann::ordered_json;
/// Indented JSON with a line end; what is not UTF-8 is replaced.
std::string json_text(const Json& json);
Json plan_json(const PlanOptions& options, const SamplingPlan& plan);

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
