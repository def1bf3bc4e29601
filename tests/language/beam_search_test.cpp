#include "language/beam_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace moviechat {
namespace {

using Ids = std::vector<int64_t>;
constexpr int64_t kTokens = 4;
constexpr int64_t kEos = 2;

/// A made-up language model: logits [4] that depend on all ids so far.
std::vector<float> logits_after(const Ids& ids, uint64_t seed) {
  uint64_t state = seed * 7919 + 17;
  for (const int64_t id : ids) state = state * 1000003 + static_cast<uint64_t>(id) + 1;
  Random random(static_cast<int64_t>(state >> 1));
  std::vector<float> logits;
  for (int64_t i = 0; i < kTokens; ++i) {
    logits.push_back(static_cast<float>(4 * random.uniform()));
  }
  return logits;
}

/// Runs the search as a caller does: tokens and parents tell what each beam is.
BeamSearch::Hypothesis search(const GenerationOptions& options, const StopRule& stop, uint64_t seed,
                              FinishReason* reason = nullptr) {
  BeamSearch beams(options, stop);
  const LogitsProcessors processors = make_processors(options, kEos);
  Random random(options.seed);
  std::vector<Ids> ids(options.beams);
  while (true) {
    std::vector<float> logits;
    for (const Ids& beam : ids) {
      const auto row = logits_after(beam, seed);
      logits.insert(logits.end(), row.begin(), row.end());
    }
    beams.advance(logits, processors, random);
    if (beams.done()) break;
    std::vector<Ids> next;
    for (size_t b = 0; b < ids.size(); ++b) {
      next.push_back(ids[beams.parents()[b]]);
      next.back().push_back(beams.tokens()[b]);
    }
    ids = next;
  }
  if (reason != nullptr) *reason = beams.reason(beams.best());
  return beams.best();
}

double log_probability(const Ids& ids, uint64_t seed) {
  double total = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    auto logits = logits_after({ids.begin(), ids.begin() + static_cast<int64_t>(i)}, seed);
    log_softmax(logits);
    total += logits[ids[i]];
  }
  return total;
}

/// With more beams than there are beginnings, the search is exhaustive up to EOS's place among the
/// best; so the best of all answers is found.
TEST(BeamSearch, ManyBeamsFindTheBestOfAllAnswers) {
  const int64_t longest = 3;
  GenerationOptions options;
  options.beams = 27;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (const double penalty : {0.0, 1.0}) {
      options.length_penalty = penalty;
      const auto found = search(options, {kEos, {}, longest}, seed);
      BeamSearch::Hypothesis best;
      best.score = -1e30;
      const std::function<void(Ids)> visit = [&](const Ids& ids) {
        const bool finished = !ids.empty() && ids.back() == kEos;
        const bool full = std::ssize(ids) == longest;
        if (finished || full) {
          const double length = static_cast<double>(ids.size()) + (finished ? 0 : 1);
          const double score = log_probability(ids, seed) / std::pow(length, penalty);
          if (score > best.score) best = {ids, score, finished};
          return;
        }
        for (int64_t token = 0; token < kTokens; ++token) {
          Ids next = ids;
          next.push_back(token);
          visit(next);
        }
      };
      visit({});
      EXPECT_EQ(found.ids, best.ids) << "seed " << seed << ", length penalty " << penalty;
      EXPECT_NEAR(found.score, best.score, 1e-4);
      EXPECT_EQ(found.finished, best.finished);
    }
  }
}

TEST(BeamSearch, OneBeamIsGreedyUntilItsFirstEnd) {
  GenerationOptions options;
  options.min_new_tokens = 5;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Ids greedy;
    while (greedy.size() < 5) {
      auto logits = logits_after(greedy, seed);
      logits[kEos] = -100;
      greedy.push_back(likeliest(logits));
    }
    const auto found = search(options, {kEos, {}, 5}, seed);
    EXPECT_EQ(found.ids, greedy);
  }
}

TEST(BeamSearch, AStopSequenceOfTheFirstBeamEndsTheSearch) {
  GenerationOptions options;
  options.beams = 2;
  options.min_new_tokens = 50;
  int stopped = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    FinishReason reason = FinishReason::length;
    const auto found = search(options, {kEos, {{3, 0}}, 50}, seed, &reason);
    if (found.ids.size() < 50) {
      ++stopped;
      EXPECT_EQ(reason, FinishReason::stop);
    }
  }
  EXPECT_GT(stopped, 10);
}

TEST(BeamSearch, DrawnBeamsRepeatWithTheSeedAndDifferWithout) {
  GenerationOptions options;
  options.beams = 3;
  options.temperature = 1;
  options.top_p = 1;
  options.min_new_tokens = 3;
  size_t different = 0;
  for (uint64_t model = 0; model < 10; ++model) {
    std::set<Ids> answers;
    for (int64_t seed = 0; seed < 10; ++seed) {
      options.seed = seed;
      const auto found = search(options, {kEos, {}, 6}, model);
      EXPECT_EQ(search(options, {kEos, {}, 6}, model).ids, found.ids);
      answers.insert(found.ids);
    }
    different += answers.size() > 1 ? 1 : 0;
  }
  EXPECT_GE(different, 3U);
}

}  // namespace
}  // namespace moviechat
