#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bundle/bundle.h"
#include "engine/watched_film.h"
#include "language/generator.h"
#include "language/language_model.h"
#include "language/tokenizer.h"
#include "moviechat/engine.h"

namespace moviechat {

/// Questions about films that were watched → answers. Text and video that questions share are
/// computed once. One thread at a time; what it is made of outlives it.
class Answerer {
 public:
  Answerer(const Bundle& bundle, const Tokenizer& tokenizer, const Settings& settings,
           const RunOptions& run, const Callbacks& callbacks);

  /// Answers a question of the film as it is made; adds what it cost.
  void answer(WatchedFilm& film, size_t question);

  /// All questions of several films, `runtime.answers` at a time, whose ever they are. The time
  /// that it took is shared out by the questions. on_text is not called.
  void answer_all(std::vector<WatchedFilm>& films);

 private:
  GenerationRequest request_for(const WatchedFilm& film, size_t question) const;

  const Bundle& bundle_;
  const Tokenizer& tokenizer_;
  const Settings& settings_;
  const RunOptions& run_;
  const Callbacks& callbacks_;
  LanguageModel language_model_;
  Generator generator_;
};

/// A film's questions in an order in which those about the same memory follow each other, so that
/// its prefix is computed once.
std::vector<size_t> grouped_by_memory(const WatchedFilm& film);

}  // namespace moviechat
