#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace moviechat::judge {

/// A value, and what it belongs to: questions of one video are alike, so videos are drawn whole.
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

/// A mean and how far it can be trusted.
struct Estimate {
  int64_t count = 0;
  int64_t clusters = 0;
  double mean = 0;                        // of nothing: 0
  std::optional<Interval> interval = {};  // nullopt with fewer than two clusters
};
/// For writing alone.
template <class Visitor>
void visit_fields(Estimate& o, Visitor& field) {
  using Bound = std::optional<double>;
  field("n", o.count);
  field("videos", o.clusters);
  field("mean", o.count > 0 ? Bound(o.mean) : Bound());
  field("low", o.interval ? Bound(o.interval->low) : Bound());
  field("high", o.interval ? Bound(o.interval->high) : Bound());
}

/// The mean of all values, with a percentile bootstrap interval: as many clusters as there are,
/// drawn with replacement, again and again. The same samples and options give the same numbers
/// everywhere. The difference of two runs is the mean of the differences.
Estimate estimate(std::span<const Sample> samples, const BootstrapOptions& options);

/// The q-quantile of ascending values, between two of them in proportion (numpy's default).
double quantile(std::span<const double> ascending, double q);

/// McNemar's exact test, two-sided: how likely it is that, of the questions which just one of two
/// runs has right, the split is at least as uneven as first : second when both are equally good.
double mcnemar(int64_t first, int64_t second);

}  // namespace moviechat::judge
