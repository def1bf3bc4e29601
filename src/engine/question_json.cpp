#include "engine/question_json.h"

#include <sstream>

#include "base/json.h"
#include "base/moment.h"
#include "base/text.h"
#include "base/utf8.h"

namespace moviechat {
namespace {

using nlohmann::json;

constexpr size_t kShown = 80;  // bytes of a value in a message

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
  check_question_text(question.text, name + ": question");
  const json at = entry.value("at", json());
  const json frame = entry.value("at_frame", json());
  if (!at.is_null() && !frame.is_null()) {
    throw InputError(name + " has both at and at_frame; give one of them");
  }
  if (!at.is_null()) question.at = moment_from_json(name + ": at", at);
  if (!frame.is_null()) question.at_frame = frame_index_from_json(name + ": at_frame", frame);
  return question;
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

void check_question_text(const std::string& text, const std::string& name) {
  if (const size_t at = first_invalid_utf8(text); at != std::string::npos) {
    throw InputError(name + " is not valid UTF-8 (byte " + std::to_string(at + 1) +
                     "); expected UTF-8 text");
  }
  if (trim(text).empty()) {
    throw InputError(name + " is empty; expected a question");
  }
}

}  // namespace moviechat
