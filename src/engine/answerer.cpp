#include "engine/answerer.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <numeric>
#include <utility>

#include "base/stage_costs.h"
#include "bundle/device.h"
#include "language/find_evidence.h"
#include "language/prompt.h"
#include "language/prompt_layout.h"

namespace moviechat {
namespace {

/// What is on screen at a moment was not seen any longer.
void end_at(Seconds moment, std::vector<Evidence>& evidence) {
  for (Evidence& span : evidence) {
    if (span.start < moment) span.end = std::min(span.end, moment);
  }
}

Answer answer_from(const Generation& generation, const WatchedFilm& film, size_t question) {
  Answer answer;
  answer.question = film.questions[question];
  const std::optional<size_t> moment = film.moment_of[question];
  answer.at = moment ? film.moments[*moment] : answer.question.at;
  answer.text = generation.text;
  answer.token_ids = generation.ids;
  answer.finish_reason = generation.reason;
  answer.prompt_tokens = generation.prompt_tokens;
  answer.answer_tokens = generation.answer_tokens;
  if (generation.attention.defined()) {
    const VideoTokens& tokens = film.tokens_for(question);
    answer.evidence = find_evidence(generation.attention, tokens.attention, tokens.spans);
    if (moment) end_at(film.moments[*moment], answer.evidence);
  }
  return answer;
}

}  // namespace

Answerer::Answerer(const Bundle& bundle, const Tokenizer& tokenizer, const Settings& settings)
    : bundle_(bundle),
      tokenizer_(tokenizer),
      options_(settings.generation),
      model_(bundle.language_model()),
      prefixes_(model_),
      alone_(model_, tokenizer, bundle.spec().prompt, prefixes_),
      together_(model_, tokenizer, bundle.spec().prompt, prefixes_, settings.runtime.answers) {
  check_generation(options_, bundle.spec().prompt);
}

GenerationRequest Answerer::request_for(const WatchedFilm& film, size_t question,
                                        const RunOptions& run) const {
  const VideoTokens& tokens = film.tokens_for(question);
  return {make_prompt(bundle_.spec().prompt, tokenizer_, film.questions[question].text),
          tokens.embeddings,
          options_,
          run.evidence && tokens.attention.defined(),
          {}};
}

void Answerer::answer(WatchedFilm& film, size_t question, const RunOptions& run,
                      const Callbacks& callbacks) {
  const Stopwatch stopwatch(film.costs, "answer");
  GenerationRequest request = request_for(film, question, run);
  request.callbacks.warn = callbacks.warn;
  request.callbacks.cancel = callbacks.cancel;
  if (callbacks.on_text) {
    request.callbacks.on_text = [&](std::string_view piece) {
      return callbacks.on_text(question, piece);
    };
  }
  if (callbacks.on_restart) {
    request.callbacks.on_restart = [&] { callbacks.on_restart(question); };
  }
  const Generation generation = alone_.answer(std::move(request));
  film.costs.add({"prompt", generation.prompt_seconds, {}, {}});  // part of "answer"
  film.answers[question] = answer_from(generation, film, question);
}

void Answerer::answer_all(std::vector<WatchedFilm>& films, const RunOptions& run,
                          const Callbacks& callbacks) {
  struct Pending {
    WatchedFilm* film;
    size_t question;
    std::future<Generation> answer;
  };
  // Before the next films are watched: their frames may need the memory.
  struct Release {
    Answerer& answerer;
    ~Release() {
      answerer.together_.reset();
      answerer.prefixes_.trim();
    }
  };
  const Release release{*this};
  std::vector<Pending> pending;
  StageCosts together([device = bundle_.device()] { return device_memory(device); });
  {
    const Stopwatch stopwatch(together, "answer");
    for (WatchedFilm& film : films) {
      for (const size_t question : grouped_by_memory(film)) {
        GenerationRequest request = request_for(film, question, run);
        request.callbacks.warn = callbacks.warn;
        request.callbacks.cancel = callbacks.cancel;
        pending.push_back({&film, question, together_.join(std::move(request))});
      }
    }
    for (int64_t known = 0; together_.step();) {
      const auto answered = std::count_if(pending.begin(), pending.end(), [](const Pending& one) {
        return one.answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
      });
      if (callbacks.progress && answered > std::exchange(known, answered)) {
        callbacks.progress({"answering", answered, std::ssize(pending), "questions"});
      }
    }
  }
  StageCost each = together.stages()[0];
  each.seconds /= static_cast<double>(pending.size());
  for (auto& [film, question, answer] : pending) {
    const Generation generation = answer.get();
    film->costs.add({"prompt", generation.prompt_seconds, {}, {}});
    film->costs.add(each);
    film->answers[question] = answer_from(generation, *film, question);
  }
}

std::vector<size_t> grouped_by_memory(const WatchedFilm& film) {
  std::vector<size_t> order(film.moment_of.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return film.moment_of[a] < film.moment_of[b]; });
  return order;
}

}  // namespace moviechat
