#include "cli/questions.h"

#include <sstream>
#include "base/json.h"

#include "base/files.h"
#include "base/moment.h"
#include "base/text.h"
#include "base/utf8.h"

namespace moviechat::cli {
namespace {

using nlohmann::json;

constexpr size_t kShown = 80;  // bytes of a value in a message

void check_text(const std::string& text, const std::string& name) {
  if (const size_t at = first_invalid_utf8(text); at != std::string::npos) {
    throw InputError(name + " is not valid UTF-8 (byte " + std::to_string(at + 1) +
                     "); expected UTF-8 text");
  }
  if (trim(text).empty()) {
    throw InputError(name + " is empty; expected a question");
  }
}

Question parse_question(const std::string& line, const std::string& name) {
  const json entry = parse_json(line);
  if (entry.is_discarded()) throw InputError(name + " " + json_fault(line));
  if (!entry.is_object() || !entry.contains("question") || !entry["question"].is_string()) {
    throw InputError(name + " must be an object with a text \"question\"");
  }
  for (const auto& [key, value] : entry.items()) {
    if (key != "question" && key != "at" && key != "at_frame") {
      throw InputError(name + " has an unknown key '" + shortened(key, kShown) +
                       "'; expected question, at or at_frame");
    }
  }
  Question question;
  question.text = entry["question"].get<std::string>();
  check_text(question.text, name + ": question");
  const json at = entry.value("at", json());
  const json frame = entry.value("at_frame", json());
  if (!at.is_null() && !frame.is_null()) {
    throw InputError(name + " has both at and at_frame; give one of them");
  }
  if (!at.is_null()) question.at = moment_from_json(name + ": at", at);
  if (!frame.is_null()) question.at_frame = frame_index_from_json(name + ": at_frame", frame);
  return question;
}

/// Value i of `values`, which are one for all questions or one for each.
template <class Value>
std::optional<Value> one_of(const std::vector<Value>& values, size_t i) {
  if (values.empty()) return std::nullopt;
  return values.size() == 1 ? values[0] : values.at(i);
}

}  // namespace

std::vector<Question> parse_questions(const std::string& lines, const std::string& origin) {
  std::vector<Question> questions;
  std::istringstream stream(lines);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    questions.push_back(parse_question(line, "'" + origin + "' line " + std::to_string(number)));
  }
  if (questions.empty()) {
    throw InputError("'" + origin +
                     "' holds no question; expected lines like {\"question\": \"What happens?\"}");
  }
  return questions;
}

std::vector<Question> questions_of(const Arguments& arguments) {
  const std::vector<std::string> texts = arguments.values("--question");
  std::vector<Seconds> moments;
  for (const std::string& text : arguments.values("--at")) {
    moments.push_back(parse_moment("--at", text));
  }
  std::vector<int64_t> frames;
  for (const std::string& text : arguments.values("--at-frame")) {
    frames.push_back(parse_frame_index("--at-frame", text));
  }
  const auto file = arguments.value("--questions");

  if (texts.empty() && !file) {
    throw InputError("no question; give --question TEXT or --questions FILE (moviechat --help)");
  }
  if (!moments.empty() && !frames.empty()) {
    throw InputError("--at and --at-frame contradict each other; give one of them");
  }
  const size_t given = moments.size() + frames.size();
  const std::string flag = moments.empty() ? "--at-frame" : "--at";
  if (given > 0 && texts.empty()) {
    throw InputError(flag +
                     " goes with --question; in a file, write the moment beside the question");
  }
  if (given > 1 && given != texts.size()) {
    throw InputError("found " + std::to_string(given) + " " + flag + " for " +
                     std::to_string(texts.size()) +
                     " --question; expected one for all, or one each");
  }

  std::vector<Question> questions;
  for (size_t i = 0; i < texts.size(); ++i) {
    check_text(texts[i], texts.size() == 1 ? std::string("the question")
                                           : "question " + std::to_string(i + 1));
    questions.push_back({texts[i], one_of(moments, i), one_of(frames, i)});
  }
  if (file) {
    const bool stdin_wanted = *file == "-";
    const std::string lines =
        stdin_wanted ? read_stdin("question file") : read_file(*file, "question file");
    for (Question& question : parse_questions(lines, stdin_wanted ? "stdin" : *file)) {
      questions.push_back(std::move(question));
    }
  }
  return questions;
}

}  // namespace moviechat::cli
