#include "score/statistics.h"

#include <gmock/gmock.h>

#include "score/references.h"

namespace moviechat::score {
namespace {

std::vector<Sample> samples_of(const nlohmann::json& json) {
  std::vector<Sample> samples;
  for (const auto& one : json) samples.push_back({one.at(0), one.at(1)});
  return samples;
}

TEST(Statistics, McNemarIsThatOfStatsmodels) {
  for (const auto& one : testing::references("mcnemar")) {
    const int64_t first = one.at("first");
    const int64_t second = one.at("second");
    const double p = one.at("p");
    EXPECT_NEAR(mcnemar(first, second), p, 1e-9 * p) << first << " : " << second;
    EXPECT_EQ(mcnemar(first, second), mcnemar(second, first));
  }
}

TEST(Statistics, QuantilesAreNumpys) {
  for (const auto& one : testing::references("quantile")) {
    const auto values = one.at("values").get<std::vector<double>>();
    EXPECT_NEAR(quantile(values, one.at("q")), one.at("quantile"), 1e-12);
  }
}

TEST(Statistics, IntervalsOverClustersAreScipys) {
  for (const auto& one : testing::references("bootstrap")) {
    const auto samples = samples_of(one.at("samples"));
    const Estimate found = estimate(samples, {.resamples = 100'000});
    const double low = one.at("low");
    const double high = one.at("high");
    EXPECT_NEAR(found.mean, one.at("mean"), 1e-12);
    ASSERT_TRUE(found.interval);
    // Both are drawn by chance: the standard error of a 2.5 % quantile of 1e5 draws is far below
    // a fiftieth of the interval, a wrong quantile or unclustered drawing far above.
    const double tolerance = (high - low) / 50;
    EXPECT_NEAR(found.interval->low, low, tolerance);
    EXPECT_NEAR(found.interval->high, high, tolerance);
  }
}

TEST(Statistics, TheSameSamplesGiveTheSameInterval) {
  const auto samples = samples_of(testing::references("bootstrap").at(0).at("samples"));
  const auto first = estimate(samples, {});
  const auto again = estimate(samples, {});
  EXPECT_EQ(first.interval->low, again.interval->low);
  EXPECT_EQ(first.interval->high, again.interval->high);
}

TEST(Statistics, OneClusterHasNoInterval) {
  const std::vector<Sample> samples = {{3, 1}, {3, 0}, {3, 1}};
  const Estimate found = estimate(samples, {});
  EXPECT_NEAR(found.mean, 2.0 / 3, 1e-12);
  EXPECT_EQ(found.count, 3);
  EXPECT_EQ(found.clusters, 1);
  EXPECT_FALSE(found.interval);
  EXPECT_EQ(estimate({}, {}).count, 0);
}

TEST(Statistics, LikeQuestionsOfAVideoCountAsOne) {
  // Four videos whose questions are all right or all wrong: ten questions each say no more than
  // one.
  std::vector<Sample> one_each;
  std::vector<Sample> ten_each;
  for (int64_t video = 0; video < 4; ++video) {
    for (int i = 0; i < 10; ++i) {
      const Sample sample{video, static_cast<double>(video % 2)};
      if (i == 0) one_each.push_back(sample);
      ten_each.push_back(sample);
    }
  }
  const auto one = estimate(one_each, {}).interval;
  const auto ten = estimate(ten_each, {}).interval;
  EXPECT_EQ(one->low, ten->low);
  EXPECT_EQ(one->high, ten->high);
}

}  // namespace
}  // namespace moviechat::score
