#include "language/answer_text.h"

#include <algorithm>

#include "base/utf8.h"

namespace moviechat {
namespace {

/// Length of the longest end of `text` with which `word` begins, the whole word aside.
size_t begun_word(std::string_view text, std::string_view word) {
  if (word.empty()) return 0;
  for (size_t length = std::min(text.size(), word.size() - 1); length > 0; --length) {
    if (text.ends_with(word.substr(0, length))) return length;
  }
  return 0;
}

std::string_view without_leading_space(std::string_view text) {
  while (const size_t length = leading_white_space(text)) text.remove_prefix(length);
  return text;
}

size_t length_without_trailing_space(std::string_view text) {
  const std::string_view trimmed = trim(text);
  return trimmed.empty() ? 0 : static_cast<size_t>(trimmed.data() - text.data()) + trimmed.size();
}

}  // namespace

std::string answer_text(const PromptSpec& spec, std::string_view text) {
  if (!spec.turn.empty()) text = text.substr(0, text.find(spec.turn));
  if (!spec.answer_prefix.empty()) {
    const size_t prefix = text.rfind(spec.answer_prefix);
    if (prefix != std::string_view::npos) text.remove_prefix(prefix + spec.answer_prefix.size());
  }
  return std::string(trim(text));
}

std::string answer_text(const PromptSpec& spec, const Tokenizer& tokenizer,
                        std::span<const int64_t> ids) {
  return answer_text(spec, tokenizer.decode(ids));
}

TextStream::Piece TextStream::show(std::string_view more, bool last) {
  Piece piece;
  if (over_) return piece;
  held_ += more;
  if (const size_t turn = turn_.empty() ? std::string::npos : held_.find(turn_);
      turn != std::string::npos) {
    held_.resize(turn);
    over_ = true;
  }
  if (const size_t prefix = prefix_.empty() ? std::string::npos : held_.rfind(prefix_);
      prefix != std::string::npos) {
    held_.erase(0, prefix + prefix_.size());
    piece.restart = shown_;
    shown_ = false;
  }
  if (!shown_) held_ = std::string(without_leading_space(held_));
  const size_t length = last || over_ ? length_without_trailing_space(held_) : showable();
  piece.text = held_.substr(0, length);
  held_.erase(0, length);
  shown_ = shown_ || length > 0;
  return piece;
}

size_t TextStream::showable() const {
  const size_t begun = std::max(begun_word(held_, turn_), begun_word(held_, prefix_));
  return length_without_trailing_space(std::string_view(held_).substr(0, held_.size() - begun));
}

}  // namespace moviechat
