#include "language/beam_search.h"

#include <algorithm>
#include <cmath>

#include "moviechat/error.h"

namespace moviechat {

BeamSearch::BeamSearch(const GenerationOptions& options, const StopRule& stop)
    : options_(options),
      stop_(stop),
      sampler_(options, /*least=*/2),
      beams_(options.beams),
      // The beams begin alike: only the first counts, lest all become the same. Draws differ
      // anyway.
      log_probabilities_(options.beams, options.sampled() ? 0 : -1e9) {
  log_probabilities_[0] = 0;
}

void BeamSearch::advance(std::span<float> logits, const LogitsProcessors& processors,
                         Random& random) {
  const size_t rows = logits.size() / beams_.size();
  for (size_t b = 0; b < beams_.size(); ++b) {
    const auto scores = logits.subspan(b * rows, rows);
    likeliest(scores);  // throws when the model is broken
    log_softmax(scores);
    apply_all(processors, beams_[b], scores);  // reference: on log-probabilities when searching
    for (float& score : scores) score += static_cast<float>(log_probabilities_[b]);
  }
  take(options_.sampled() ? drawn_continuations(logits, random) : likeliest_continuations(logits));
}

std::vector<BeamSearch::Continuation> BeamSearch::likeliest_continuations(
    std::span<const float> scores) const {
  const size_t rows = scores.size() / beams_.size();
  const size_t count = std::min(2 * beams_.size(), scores.size());
  const auto better = [&](size_t a, size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  };
  std::vector<size_t> best;  // a heap with the worst on top
  for (size_t i = 0; i < scores.size(); ++i) {
    if (best.size() == count && !better(i, best.front())) continue;
    if (best.size() == count) {
      std::pop_heap(best.begin(), best.end(), better);
      best.pop_back();
    }
    best.push_back(i);
    std::push_heap(best.begin(), best.end(), better);
  }
  std::sort_heap(best.begin(), best.end(), better);
  std::vector<Continuation> continuations;
  continuations.reserve(best.size());
  for (const size_t i : best) {
    continuations.push_back(
        {scores[i], static_cast<int64_t>(i / rows), static_cast<int64_t>(i % rows)});
  }
  return continuations;
}

std::vector<BeamSearch::Continuation> BeamSearch::drawn_continuations(std::span<const float> scores,
                                                                      Random& random) {
  const size_t rows = scores.size() / beams_.size();
  std::vector<Continuation> all;
  // reference: temperature, top-k and top-p apply to a beam's score so far plus the token's
  for (size_t b = 0; b < beams_.size(); ++b) {
    for (const Candidate& candidate : sampler_.candidates(scores.subspan(b * rows, rows))) {
      all.push_back({candidate.score, static_cast<int64_t>(b), candidate.id});
    }
  }
  const auto higher = [](const Continuation& x, const Continuation& y) {
    return x.score > y.score;
  };
  std::stable_sort(all.begin(), all.end(), higher);
  std::vector<double> weights;
  double total = 0;
  for (const Continuation& one : all) {
    weights.push_back(std::exp(one.score - all.front().score));
    total += weights.back();
  }
  // Drawn without putting back; those whose probability is 0 in doubles come last, best first.
  std::vector<Continuation> drawn;
  const size_t count = std::min(2 * beams_.size(), all.size());
  while (drawn.size() < count) {
    double left = random.uniform() * total;
    size_t i = 0;
    while (i + 1 < all.size() && (left -= weights[i]) >= 0) ++i;
    drawn.push_back(all[i]);
    total = std::max(0.0, total - weights[i]);
    all.erase(all.begin() + static_cast<int64_t>(i));
    weights.erase(weights.begin() + static_cast<int64_t>(i));
  }
  std::stable_sort(drawn.begin(), drawn.end(), higher);
  return drawn;
}

void BeamSearch::take(const std::vector<Continuation>& continuations) {
  const size_t width = beams_.size();
  std::vector<std::vector<int64_t>> beams;
  std::vector<double> log_probabilities;
  tokens_.clear();
  parents_.clear();
  for (size_t rank = 0; rank < continuations.size() && beams.size() < width; ++rank) {
    const Continuation& next = continuations[rank];
    std::vector<int64_t> ids = beams_[next.beam];
    ids.push_back(next.token);
    if (next.token == stop_.eos) {
      if (rank >= width) continue;  // reference: not among the best B, not an answer
      const double score = penalised(next.score, static_cast<int64_t>(ids.size()));
      add(finished_, {std::move(ids), score, true});
      continue;
    }
    beams.push_back(std::move(ids));
    log_probabilities.push_back(next.score);
    tokens_.push_back(next.token);
    parents_.push_back(next.beam);
  }
  if (beams.size() < width) {
    throw Error("beam search: " + std::to_string(continuations.size()) +
                " possible tokens are too few for " + std::to_string(width) + " beams");
  }
  beams_ = std::move(beams);
  log_probabilities_ = std::move(log_probabilities);
  won_ = no_open_beam_can_win(continuations.front().score);
  done_ = won_ || stop_.at_stop_sequence(beams_.front()) ||
          static_cast<int64_t>(beams_.front().size()) >= stop_.max_tokens;
}

double BeamSearch::penalised(double log_probability, int64_t length) const {
  return log_probability / std::pow(static_cast<double>(length), options_.length_penalty);
}

bool BeamSearch::no_open_beam_can_win(double best_log_probability) const {
  if (finished_.size() < beams_.size()) return false;
  const auto worst =
      std::min_element(finished_.begin(), finished_.end(),
                       [](const Hypothesis& a, const Hypothesis& b) { return a.score < b.score; });
  const auto length = static_cast<int64_t>(beams_.front().size()) + 1;
  return worst->score >= penalised(best_log_probability, length);
}

void BeamSearch::add(std::vector<Hypothesis>& hypotheses, Hypothesis hypothesis) const {
  hypotheses.push_back(std::move(hypothesis));
  if (hypotheses.size() <= beams_.size()) return;
  // The worst goes; of equals the one that came last, as the reference takes only what is better.
  auto worst = hypotheses.begin();
  for (auto h = hypotheses.begin(); h != hypotheses.end(); ++h) {
    if (h->score < worst->score || (h + 1 == hypotheses.end() && h->score <= worst->score)) {
      worst = h;
    }
  }
  hypotheses.erase(worst);
}

BeamSearch::Hypothesis BeamSearch::best() const {
  std::vector<Hypothesis> hypotheses = finished_;
  if (!won_) {
    for (size_t b = 0; b < beams_.size(); ++b) {
      const auto length = static_cast<int64_t>(beams_[b].size()) + 1;
      add(hypotheses, {beams_[b], penalised(log_probabilities_[b], length), false});
    }
  }
  // reference: a stable sort's last one, so the latest of equals
  return *std::max_element(
      hypotheses.rbegin(), hypotheses.rend(),
      [](const Hypothesis& a, const Hypothesis& b) { return a.score < b.score; });
}

FinishReason BeamSearch::reason(const Hypothesis& best) const {
  if (best.finished) return FinishReason::eos;
  if (stop_.at_stop_sequence(best.ids) || stop_.at_stop_sequence(beams_.front())) {
    return FinishReason::stop;
  }
  return FinishReason::length;
}

}  // namespace moviechat
