#include "engine/answerer.h"

#include <algorithm>
#include <numeric>

#include "bundle/device.h"
#include "language/find_evidence.h"
#include "language/prompt.h"

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

Answerer::Answerer(const Bundle& bundle, const Tokenizer& tokenizer, const Settings& settings,
                   const RunOptions& run, const Callbacks& callbacks)
    : bundle_(bundle),
      tokenizer_(tokenizer),
      settings_(settings),
      run_(run),
      callbacks_(callbacks),
      language_model_(bundle.language_model()),
      generator_(language_model_, tokenizer, bundle.spec().prompt, settings.generation) {}

GenerationRequest Answerer::request_for(const WatchedFilm& film, size_t question) const {
  const VideoTokens& tokens = film.tokens_for(question);
  return {make_prompt(bundle_.spec().prompt, tokenizer_, film.questions[question].text), &tokens,
          run_.evidence && tokens.attention.defined()};
}

void Answerer::answer(WatchedFilm& film, size_t question) {
  const Stopwatch stopwatch(film.costs, "answer");
  AnswerCallbacks hooks;
  hooks.warn = callbacks_.warn;
  hooks.cancel = callbacks_.cancel;
  if (callbacks_.on_text) {
    hooks.on_text = [&](std::string_view piece) { return callbacks_.on_text(question, piece); };
  }
  if (callbacks_.on_restart) hooks.on_restart = [&] { callbacks_.on_restart(question); };
  const GenerationRequest request = request_for(film, question);
  const Generation generation =
      generator_.answer(request.prompt, *request.video, hooks, request.with_attention);
  film.costs.add({"prompt", generation.prompt_seconds, {}, {}});  // part of "answer"
  film.answers[question] = answer_from(generation, film, question);
}

void Answerer::answer_all(std::vector<WatchedFilm>& films) {
  std::vector<GenerationRequest> requests;
  std::vector<std::pair<size_t, size_t>> asked;  // film and question of each
  for (size_t film = 0; film < films.size(); ++film) {
    for (const size_t question : grouped_by_memory(films[film])) {
      requests.push_back(request_for(films[film], question));
      asked.emplace_back(film, question);
    }
  }
  StageCosts together([device = bundle_.device()] { return device_memory(device); });
  std::vector<Generation> generations;
  {
    const Stopwatch stopwatch(together, "answer");
    AnswerCallbacks hooks;
    hooks.warn = callbacks_.warn;
    hooks.cancel = callbacks_.cancel;
    hooks.on_answer = [&, answered = int64_t{0}]() mutable {
      if (!callbacks_.progress) return;
      callbacks_.progress({"answering", ++answered, std::ssize(requests), "questions"});
    };
    generations = generator_.answer_all(requests, settings_.runtime.answers, hooks);
  }
  StageCost each = together.stages()[0];
  each.seconds /= static_cast<double>(requests.size());
  for (size_t i = 0; i < asked.size(); ++i) {
    const auto [film, question] = asked[i];
    films[film].costs.add({"prompt", generations[i].prompt_seconds, {}, {}});
    films[film].costs.add(each);
    films[film].answers[question] = answer_from(generations[i], films[film], question);
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
