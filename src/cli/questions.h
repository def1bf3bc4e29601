#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "moviechat/result.h"

namespace moviechat::cli {

/// --question with --at and --at-frame, and --questions.
struct QuestionFlags {
  std::vector<std::string> texts;
  std::vector<Seconds> moments;
  std::vector<int64_t> frames;
  std::optional<std::string> file;
};
void add_questions(CLI::App& command, QuestionFlags& flags);

/// The questions of --question with their moments, then those of --questions. InputError for
/// contradictions, and for text that is empty or not UTF-8.
std::vector<Question> questions_of(const QuestionFlags& flags);

}  // namespace moviechat::cli
