#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bundle/bundle.h"
#include "engine/watched_film.h"
#include "language/language_model.h"
#include "language/prefix_cache.h"
#include "language/text_decoder.h"
#include "language/tokenizer.h"
#include "moviechat/engine.h"

namespace moviechat {

/// Questions about films that were watched → answers. Text and films that questions share are read
/// once, in one call or in several. One thread at a time; what it is made of outlives it.
class Answerer {
 public:
  /// InputError for generation options that contradict the bundle.
  Answerer(const Bundle& bundle, const Tokenizer& tokenizer, const Settings& settings);

  /// Answers a question of the film as it is made; adds what it cost.
  void answer(WatchedFilm& film, size_t question, const RunOptions& run,
              const Callbacks& callbacks);

  /// All questions of several films, `runtime.answers` at a time, whose ever they are. The time
  /// that it took is shared out by the questions. on_text is not called.
  void answer_all(std::vector<WatchedFilm>& films, const RunOptions& run,
                  const Callbacks& callbacks);

 private:
  GenerationRequest request_for(const WatchedFilm& film, size_t question,
                                const RunOptions& run) const;

  const Bundle& bundle_;
  const Tokenizer& tokenizer_;
  GenerationOptions options_;
  LanguageModel model_;
  PrefixCache prefixes_;
  TextDecoder alone_;     // of one answer
  TextDecoder together_;  // of runtime.answers
};

/// A film's questions in an order in which those about the same memory follow each other, so that
/// its prefix is computed once.
std::vector<size_t> grouped_by_memory(const WatchedFilm& film);

}  // namespace moviechat
