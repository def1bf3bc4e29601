#pragma once

#include <functional>
#include <string_view>

#include "language/answer_text.h"
#include "moviechat/callbacks.h"

namespace moviechat {

/// What an answer tells while it is being made. All may be left empty.
struct AnswerCallbacks {
  /// The next piece of the answer, in whole characters. `false` cancels the answer.
  std::function<bool(std::string_view)> on_text;
  /// The model repeated the answer prefix late: pieces so far are not part of the answer.
  std::function<void()> on_restart;
  WarningSink warn;
  const CancelFlag* cancel = nullptr;  // cancels the answer

  /// Cancelled when the flag is set.
  void check() const {
    if (cancel != nullptr) cancel->check();
  }
  /// Gives a piece away. Cancelled when it is refused.
  void show(const TextStream::Piece& piece) const {
    if (piece.restart && on_restart) on_restart();
    if (!piece.text.empty() && on_text && !on_text(piece.text)) throw Cancelled();
  }
};

}  // namespace moviechat
