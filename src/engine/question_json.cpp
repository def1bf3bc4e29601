#include "engine/question_json.h"

#include "base/json.h"
#include "base/message.h"
#include "base/moment.h"
#include "base/text.h"
#include "base/utf8.h"

namespace moviechat {
namespace {

using nlohmann::json;

constexpr size_t kShown = 80;  // bytes of a value in a message

Question parse_question(const std::string& line, const std::string& name) {
  const json entry = parse_json(line);
  if (entry.is_discarded()) throw input_error("{} {}", name, json_fault(line));
  if (!entry.is_object() || !entry.contains("question") || !entry["question"].is_string()) {
    throw input_error("{} must be an object with a text \"question\"", name);
  }
  for (const auto& [key, value] : entry.items()) {
    if (key == "question" || key == "at" || key == "at_frame") continue;
    throw input_error("{} has an unknown key '{}'; expected question, at or at_frame", name,
                      shortened(key, kShown));
  }
  Question question;
  question.text = entry["question"].get<std::string>();
  check_question_text(question.text, name + ": question");
  const json at = entry.value("at", json());
  const json frame = entry.value("at_frame", json());
  if (!at.is_null() && !frame.is_null()) {
    throw input_error("{} has both at and at_frame; give one of them", name);
  }
  if (!at.is_null()) question.at = moment_from_json(name + ": at", at);
  if (!frame.is_null()) question.at_frame = frame_index_from_json(name + ": at_frame", frame);
  return question;
}

}  // namespace

std::vector<Question> parse_questions(const std::string& lines, const std::string& origin) {
  std::vector<Question> questions;
  for_each_line(lines, [&](int64_t number, std::string_view line) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    questions.push_back(
        parse_question(std::string(line), fmt::format("'{}' line {}", origin, number)));
  });
  if (!questions.empty()) return questions;
  throw input_error(
      "'{}' holds no question; expected lines like {{\"question\": \"What happens?\"}}", origin);
}

void check_question_text(const std::string& text, const std::string& name) {
  if (const size_t at = first_invalid_utf8(text); at != std::string::npos) {
    throw input_error("{} is not valid UTF-8 (byte {}); expected UTF-8 text", name, at + 1);
  }
  if (trim(text).empty()) throw input_error("{} is empty; expected a question", name);
}

}  // namespace moviechat
