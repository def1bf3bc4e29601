#include "score/statistics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

namespace moviechat::score {
namespace {

/// Sum and number of the values of a cluster.
struct Total {
  double sum = 0;
  double count = 0;
};

std::vector<Total> totals_of(std::span<const Sample> samples) {
  std::map<int64_t, Total> of_cluster;
  for (const Sample& sample : samples) {
    Total& total = of_cluster[sample.cluster];
    total.sum += sample.value;
    total.count += 1;
  }
  std::vector<Total> totals;
  for (const auto& [cluster, total] : of_cluster) totals.push_back(total);
  return totals;
}

/// Uniform in [0, size): std::uniform_int_distribution differs between libraries.
size_t draw(std::mt19937_64& random, size_t size) {
  return static_cast<size_t>(((random() >> 32) * static_cast<uint64_t>(size)) >> 32);
}

}  // namespace

Estimate estimate(std::span<const Sample> samples, const BootstrapOptions& options) {
  const std::vector<Total> totals = totals_of(samples);
  Estimate result{.count = static_cast<int64_t>(samples.size()),
                  .clusters = static_cast<int64_t>(totals.size())};
  if (samples.empty()) return result;
  double sum = 0;
  for (const Sample& sample : samples) sum += sample.value;
  result.mean = sum / static_cast<double>(samples.size());
  if (totals.size() < 2 || options.resamples < 1) return result;

  std::mt19937_64 random(options.seed);
  std::vector<double> means(static_cast<size_t>(options.resamples));
  for (double& mean : means) {
    Total drawn;
    for (size_t i = 0; i < totals.size(); ++i) {
      const Total& total = totals[draw(random, totals.size())];
      drawn.sum += total.sum;
      drawn.count += total.count;
    }
    mean = drawn.sum / drawn.count;
  }
  std::sort(means.begin(), means.end());
  const double tail = (1 - options.level) / 2;
  result.interval = {quantile(means, tail), quantile(means, 1 - tail)};
  return result;
}

double quantile(std::span<const double> ascending, double q) {
  const double place = q * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<size_t>(std::floor(place));
  const size_t above = std::min(below + 1, ascending.size() - 1);
  const double fraction = place - static_cast<double>(below);
  return ascending[below] + fraction * (ascending[above] - ascending[below]);
}

double mcnemar(int64_t first, int64_t second) {
  const auto n = static_cast<double>(first + second);
  const auto tail = std::min(first, second);
  // The sum of binomial(n, k) / 2^n for k = 0..tail, in logarithms: 2^n overflows.
  double sum = 0;
  for (int64_t k = 0; k <= tail; ++k) {
    const auto x = static_cast<double>(k);
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) -
                    n * std::log(2.0));
  }
  return std::min(1.0, 2 * sum);
}

}  // namespace moviechat::score
