#include "language/prompt.h"

#include <string>
#include <utility>

#include "base/utf8.h"
#include "moviechat/error.h"

namespace moviechat {
namespace {

/// Segments, one after the other → parts.
class PromptWriter {
 public:
  explicit PromptWriter(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void add(const std::vector<PromptSegment>& segments, std::string_view question,
           std::string_view answer, std::span<const Turn> turns) {
    for (const PromptSegment& segment : segments) {
      switch (segment.kind) {
        case PromptSegment::Kind::text:
          text_ += segment.text;
          break;
        case PromptSegment::Kind::question:
          text_ += question;
          break;
        case PromptSegment::Kind::answer:
          text_ += answer;
          break;
        case PromptSegment::Kind::token:
          ids().push_back(segment.token);
          break;
        case PromptSegment::Kind::film:
          end_text();
          prompt_.push_back({{}, true});
          break;
        case PromptSegment::Kind::turns:
          for (const Turn& turn : turns) add(segment.turn, turn.question, turn.answer, {});
          break;
      }
    }
  }
  Prompt finish() {
    end_text();
    return std::move(prompt_);
  }

 private:
  /// The ids that come next, with the text so far among them.
  std::vector<int64_t>& ids() {
    end_text();
    if (prompt_.empty() || prompt_.back().film) prompt_.emplace_back();
    return prompt_.back().ids;
  }
  void end_text() {
    if (text_.empty()) return;
    const std::vector<int64_t> more = tokenizer_.encode(std::exchange(text_, {}));
    std::vector<int64_t>& all = ids();
    all.insert(all.end(), more.begin(), more.end());
  }

  const Tokenizer& tokenizer_;
  std::string text_;  // not yet tokenized
  Prompt prompt_;
};

}  // namespace

Prompt make_prompt(const PromptSpec& spec, const Tokenizer& tokenizer, std::string_view question,
                   std::span<const Turn> turns) {
  PromptWriter writer(tokenizer);
  writer.add(spec.segments, question, {}, turns);
  return writer.finish();
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
