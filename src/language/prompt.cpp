#include "language/prompt.h"

#include <string>

#include "base/utf8.h"
#include "moviechat/error.h"

namespace moviechat {
namespace {

std::string with_question(std::string_view part, std::string_view question) {
  const size_t place = part.find(kQuestionPlace);
  if (place == std::string_view::npos) return std::string(part);
  return std::string(part.substr(0, place))
      .append(question)
      .append(part.substr(place + kQuestionPlace.size()));
}

void check_place(std::string_view text_template, std::string_view place) {
  if (text_template.find(place) == std::string_view::npos) {
    throw InputError("model.yaml: prompt.template must hold " + std::string(place) + ", got '" +
                     std::string(text_template) + "'");
  }
}

}  // namespace

Prompt make_prompt(const PromptSpec& spec, const Tokenizer& tokenizer, std::string_view question) {
  const std::string_view text = spec.text_template;
  check_place(text, kVideoPlace);
  check_place(text, kQuestionPlace);
  const size_t video = text.find(kVideoPlace);

  Prompt prompt;
  prompt.before = {spec.bos};
  const auto before = tokenizer.encode(with_question(text.substr(0, video), question));
  prompt.before.insert(prompt.before.end(), before.begin(), before.end());
  prompt.after = tokenizer.encode(with_question(text.substr(video + kVideoPlace.size()), question));
  return prompt;
}

void check_question(std::string_view question, const PromptSpec& spec, const Tokenizer& tokenizer,
                    int64_t max_new_tokens, const WarningSink& warn) {
  if (question.size() > kLongestQuestion) {
    throw InputError("the question has " + std::to_string(question.size()) +
                     " bytes, more than the " + std::to_string(kLongestQuestion) +
                     " that are read; shorten it");
  }
  const size_t invalid = first_invalid_utf8(question);
  if (invalid != std::string_view::npos) {
    throw InputError("the question is not valid UTF-8: byte " + std::to_string(invalid + 1) +
                     " of " + std::to_string(question.size()) + "; save or type it as UTF-8");
  }
  if (trim(question).empty()) {
    throw InputError(question.empty() ? "the question is empty; ask something"
                                      : "the question is only white space; ask something");
  }
  const auto tokens = static_cast<int64_t>(tokenizer.encode(question).size());
  const int64_t room = spec.context - max_new_tokens;
  if (room < 1) {
    throw InputError("an answer of up to " + std::to_string(max_new_tokens) +
                     " tokens leaves no room for a question in the model's context of " +
                     std::to_string(spec.context) + "; lower generation.max_new_tokens");
  }
  if (tokens > room) {
    throw InputError("the question has " + std::to_string(tokens) + " tokens, more than the " +
                     std::to_string(room) + " that the model's context of " +
                     std::to_string(spec.context) + " leaves before an answer of up to " +
                     std::to_string(max_new_tokens) +
                     "; shorten it or lower generation.max_new_tokens");
  }
  if (warn && !spec.turn.empty() && question.find(spec.turn) != std::string_view::npos) {
    warn("the question contains '" + spec.turn +
         "', which the model reads as a change of turn; it is kept");
  }
}

}  // namespace moviechat
