#include "language/sampler.h"

#include <algorithm>
#include <cmath>

#include "moviechat/error.h"

namespace moviechat {

int64_t likeliest(std::span<const float> logits) {
  int64_t best = -1;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isfinite(logits[i]) && (best < 0 || logits[i] > logits[best])) {
      best = static_cast<int64_t>(i);
    }
  }
  if (best < 0) {
    throw Error(
        "language model: none of its " + std::to_string(logits.size()) +
        " logits is a finite number; try runtime.dtype fp32, or check the bundle with inspect");
  }
  return best;
}

int64_t Sampler::choose(std::span<const float> logits, Random& random) {
  if (!options_.sampled()) return likeliest(logits);
  const auto drawable = candidates(logits);
  double left = random.uniform();
  for (const Candidate& candidate : drawable) {
    left -= candidate.probability;
    if (left < 0) return candidate.id;
  }
  return drawable.back().id;  // the sum of probabilities fell short of 1 by rounding
}

std::span<const Candidate> Sampler::candidates(std::span<const float> logits) {
  // the differences count: divided by a tiny temperature, logits themselves would overflow
  const double largest = logits[static_cast<size_t>(likeliest(logits))];
  candidates_.clear();
  for (size_t id = 0; id < logits.size(); ++id) {
    if (!std::isfinite(logits[id])) continue;  // forbidden
    const double score = (logits[id] - largest) / options_.temperature;
    candidates_.push_back({static_cast<int64_t>(id), static_cast<float>(score), 0});
  }
  keep_top_k();
  std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
  set_probabilities();
  keep_top_p();
  return candidates_;
}

void Sampler::keep_top_k() {
  const int64_t k = std::max(options_.top_k, least_);
  if (options_.top_k == 0 || k >= static_cast<int64_t>(candidates_.size())) return;
  const auto by_score = [](const Candidate& a, const Candidate& b) { return a.score > b.score; };
  std::nth_element(candidates_.begin(), candidates_.begin() + (k - 1), candidates_.end(), by_score);
  const float threshold = candidates_[k - 1].score;
  // reference: scores < topk(scores, k)[-1] are removed, so equals of the last one stay
  std::erase_if(candidates_, [&](const Candidate& c) { return c.score < threshold; });
}

void Sampler::set_probabilities() {
  double total = 0;
  for (Candidate& candidate : candidates_) {
    candidate.probability =
        std::exp(static_cast<double>(candidate.score) - candidates_.front().score);
    total += candidate.probability;
  }
  for (Candidate& candidate : candidates_) candidate.probability /= total;
}

void Sampler::keep_top_p() {
  if (options_.top_p >= 1) return;
  // reference: in ascending order, cumulative probability <= 1 − top_p is removed
  double cumulative = 0;
  while (static_cast<int64_t>(candidates_.size()) > least_) {
    cumulative += candidates_.back().probability;
    if (cumulative > 1 - options_.top_p) break;
    candidates_.pop_back();
  }
  set_probabilities();
}

}  // namespace moviechat
