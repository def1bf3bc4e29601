#include "language/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "language/logits.h"
#include "language/stop_rule.h"
#include "moviechat/error.h"

namespace moviechat {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

GenerationOptions drawing(double temperature, int64_t top_k, double top_p) {
  GenerationOptions options;
  options.temperature = temperature;
  options.top_k = top_k;
  options.top_p = top_p;
  return options;
}

TEST(Random, TheSameOnEveryPlatform) {
  // The standard states the 10000th number of mt19937_64 with its default seed.
  Random random(5489);
  double last = 0;
  for (int i = 0; i < 10000; ++i) last = random.uniform();
  EXPECT_EQ(last, static_cast<double>(9981545732273789042ULL >> 11) * 0x1.0p-53);
}

TEST(Sampler, DrawsAsOftenAsTheProbabilitiesSay) {
  const std::vector<float> logits = {0, 1, 2, 3, -1, 0.5F};
  Sampler sampler(drawing(1.3, 4, 0.95));
  std::vector<double> expected(logits.size());
  for (const Candidate& c : sampler.candidates(logits)) expected[c.id] = c.probability;
  Random random(1);
  std::vector<double> drawn(logits.size());
  const int draws = 40000;
  for (int i = 0; i < draws; ++i) drawn[sampler.choose(logits, random)] += 1.0 / draws;
  for (size_t i = 0; i < logits.size(); ++i) {
    // five standard deviations
    EXPECT_NEAR(drawn[i], expected[i], 5 * std::sqrt(expected[i] * (1 - expected[i]) / draws)) << i;
  }
}

TEST(Sampler, ATinyTemperatureIsGreedy) {
  const std::vector<float> logits = {-3, 40, kForbidden, 39.5F};
  for (const double temperature : {1e-6, 1e-40, 1e-300}) {
    Sampler sampler(drawing(temperature, 0, 1));
    Random random(1);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(sampler.choose(logits, random), 1) << temperature;
  }
}

TEST(Sampler, ForbiddenTokensAreNeverDrawn) {
  const std::vector<float> logits = {kForbidden, 0, kForbidden, 0};
  Sampler sampler(drawing(1, 0, 1));
  Random random(1);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(sampler.choose(logits, random) % 2, 1);
}

TEST(Sampler, EqualsOfTheLastOfTopKStay) {
  const std::vector<float> logits = {1, 2, 1, 1, 0};
  EXPECT_EQ(Sampler(drawing(1, 2, 1)).candidates(logits).size(), 4U);
}

TEST(Sampler, GreedyTakesTheFirstOfEquals) {
  Random random(0);
  const std::vector<float> logits = {1, 3, 3, 2};
  EXPECT_EQ(Sampler(GenerationOptions()).choose(logits, random), 1);
}

TEST(Sampler, LogitsThatAreNoNumbersAreAnError) {
  Random random(0);
  const std::vector<float> logits = {NAN, NAN};
  EXPECT_THROW(Sampler(GenerationOptions()).choose(logits, random), Error);
  EXPECT_THROW(Sampler(drawing(1, 50, 0.9)).choose(logits, random), Error);
}

TEST(Logits, EosIsForbiddenUntilEnoughTokens) {
  GenerationOptions options;
  options.min_new_tokens = 2;
  const auto processors = make_processors(options, /*eos=*/1);
  std::vector<float> logits = {0, 5, 1};
  apply_all(processors, std::vector<int64_t>{2}, logits);
  EXPECT_EQ(logits, (std::vector<float>{0, kForbidden, 1}));
  logits = {0, 5, 1};
  apply_all(processors, std::vector<int64_t>{2, 2}, logits);
  EXPECT_EQ(logits, (std::vector<float>{0, 5, 1}));
  EXPECT_TRUE(make_processors(GenerationOptions(), 1).empty());
}

TEST(Logits, LogSoftmaxSumsToOneWithLargeLogits) {
  std::vector<float> logits = {10000, 10001, 9999, kForbidden};
  log_softmax(logits);
  double total = 0;
  for (const float x : logits) total += std::exp(x);
  EXPECT_NEAR(total, 1, 1e-6);
  EXPECT_EQ(logits[3], kForbidden);
}

TEST(StopRule, EndsAtEosAStopSequenceOrTheLimit) {
  const StopRule rule{2, {{7}, {8, 9}}, 4};
  using Ids = std::vector<int64_t>;
  EXPECT_EQ(rule.ended(Ids{}), std::nullopt);
  EXPECT_EQ(rule.ended(Ids{5, 2}), FinishReason::eos);
  EXPECT_EQ(rule.ended(Ids{5, 7}), FinishReason::stop);
  EXPECT_EQ(rule.ended(Ids{8, 9}), FinishReason::stop);
  EXPECT_EQ(rule.ended(Ids{9}), std::nullopt);
  EXPECT_EQ(rule.ended(Ids{7, 8}), std::nullopt);
  EXPECT_EQ(rule.ended(Ids{1, 1, 1, 1}), FinishReason::length);
  EXPECT_EQ(rule.ended(Ids{1, 1, 1, 2}), FinishReason::eos);
}

}  // namespace
}  // namespace moviechat
