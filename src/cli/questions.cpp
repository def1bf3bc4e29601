#include "cli/questions.h"

#include <fmt/format.h>

#include "base/files.h"
#include "base/message.h"
#include "base/moment.h"
#include "cli/flags.h"
#include "engine/question_json.h"

namespace moviechat::cli {
namespace {

/// Value i of `values`, which are one for all questions or one for each.
template <class Value>
std::optional<Value> one_of(const std::vector<Value>& values, size_t i) {
  if (values.empty()) return std::nullopt;
  return values.size() == 1 ? values[0] : values.at(i);
}

/// A moment for all questions, or one for each; in a file they stand beside the questions.
void check_moments(const QuestionFlags& flags) {
  if (!flags.moments.empty() && !flags.frames.empty()) {
    throw InputError("--at and --at-frame contradict each other; give one of them");
  }
  const size_t given = flags.moments.size() + flags.frames.size();
  const char* flag = flags.moments.empty() ? "--at-frame" : "--at";
  if (given > 0 && flags.texts.empty()) {
    throw input_error("{} goes with --question; in a file, write the moment beside the question",
                      flag);
  }
  if (given > 1 && given != flags.texts.size()) {
    throw input_error("found {} {} for {} --question; expected one for all, or one each", given,
                      flag, flags.texts.size());
  }
}

std::vector<Question> questions_of_file(const std::string& file) {
  if (file == "-") return parse_questions(read_stdin("question file"), "stdin");
  return parse_questions(read_file(file, "question file"), file);
}

}  // namespace

void add_questions(CLI::App& command, QuestionFlags& flags) {
  add_value(command, "--question TEXT", flags.texts,
            "a question; give it again for more: one pass over the film answers all",
            "'What happens?'");
  const auto read_moment = [&flags](const std::string& flag, const std::string& text) {
    flags.moments.push_back(parse_moment(flag, text));
  };
  add_reader(command, "--at TIME", read_moment,
             "ask about this moment: seconds, MM:SS or H:MM:SS. Once: for all questions; as often "
             "as --question: one for each; without it, questions are about the whole film",
             "12:34", /*repeats=*/true);
  const auto read_frame = [&flags](const std::string& flag, const std::string& text) {
    flags.frames.push_back(parse_frame_index(flag, text));
  };
  add_reader(command, "--at-frame N", read_frame, "like --at, as a frame index", "1800",
             /*repeats=*/true);
  add_value(command, "--questions FILE", flags.file,
            "questions as JSON lines: {\"question\": TEXT, \"at\": TIME or \"at_frame\": N if "
            "about a moment}; - reads stdin",
            "questions.jsonl");
}

std::vector<Question> questions_of(const QuestionFlags& flags) {
  const std::vector<std::string>& texts = flags.texts;
  if (texts.empty() && !flags.file) {
    throw InputError("no question; give --question TEXT or --questions FILE (moviechat --help)");
  }
  check_moments(flags);
  std::vector<Question> questions;
  for (size_t i = 0; i < texts.size(); ++i) {
    check_question_text(texts[i],
                        texts.size() == 1 ? "the question" : fmt::format("question {}", i + 1));
    questions.push_back({texts[i], one_of(flags.moments, i), one_of(flags.frames, i)});
  }
  if (!flags.file) return questions;
  for (Question& question : questions_of_file(*flags.file)) {
    questions.push_back(std::move(question));
  }
  return questions;
}

}  // namespace moviechat::cli
