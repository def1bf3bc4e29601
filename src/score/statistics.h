#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace moviechat::score {

/// Value with its cluster. Questions of one video are alike, so that videos are drawn whole.
struct Sample {
  int64_t cluster = 0;
  double value = 0;
};

struct BootstrapOptions {
  int64_t resamples = 2000;  // 0: no intervals
  double level = 0.95;
  uint64_t seed = 0;
};

struct Interval {
  double low = 0;
  double high = 0;
};

/// Mean with its confidence interval.
struct Estimate {
  int64_t count = 0;
  int64_t clusters = 0;
  double mean = 0;                        // of nothing: 0
  std::optional<Interval> interval = {};  // nullopt with fewer than two clusters
};
/// Fields as reports write them; they are not read back.
template <class Visitor>
void visit_fields(Estimate& o, Visitor& field) {
  using Bound = std::optional<double>;
  field("n", o.count);
  field("videos", o.clusters);
  field("mean", o.count > 0 ? Bound(o.mean) : Bound());
  field("low", o.interval ? Bound(o.interval->low) : Bound());
  field("high", o.interval ? Bound(o.interval->high) : Bound());
}

/// Mean of all values, with a percentile bootstrap interval: each resample draws as many clusters
/// as there are, with replacement. The same samples and options give the same numbers on every
/// machine. For the difference of two runs, give the differences.
Estimate estimate(std::span<const Sample> samples, const BootstrapOptions& options);

/// q-quantile of ascending values, interpolated linearly (numpy's default).
double quantile(std::span<const double> ascending, double q);

/// p-value of McNemar's exact test, two-sided: the probability, if both runs are equally good, that
/// the questions which only one of them has right split at least as unevenly as first : second.
double mcnemar(int64_t first, int64_t second);

}  // namespace moviechat::score
