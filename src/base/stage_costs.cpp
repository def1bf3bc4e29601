#include "base/stage_costs.h"

#include <algorithm>

#include "base/process.h"

namespace moviechat {
namespace {

/// The most that was held since `peak` was noted, as far as can be told; notes it anew.
int64_t most_since(int64_t& peak, const MemoryUse& use) {
  return use.peak > std::exchange(peak, use.peak) ? use.peak : use.now;
}

}  // namespace

StageCosts::StageCosts(DeviceMemory device)
    : device_(std::move(device)), host_peak_(resident_memory().peak) {
  if (const auto use = device_ ? device_() : std::nullopt) device_peak_ = use->peak;
}

void StageCosts::add(const StageCost& cost) {
  StageCost& total = of(cost.stage);
  total.seconds += cost.seconds;
  // nullopt is less than any number
  total.peak_host_bytes = std::max(total.peak_host_bytes, cost.peak_host_bytes);
  total.peak_device_bytes = std::max(total.peak_device_bytes, cost.peak_device_bytes);
}

void StageCosts::add_part(const std::string& stage, double seconds) {
  constexpr double kShort = 1e-3;  // s: too short to take much memory, and there are thousands
  StageCost part{stage, seconds, {}, {}};
  if (seconds >= kShort || !of(stage).peak_host_bytes) {
    part.peak_host_bytes = most_since(host_peak_, resident_memory());
    if (const auto use = device_ ? device_() : std::nullopt) {
      part.peak_device_bytes = most_since(device_peak_, *use);
    }
  }
  add(part);
}

StageCost& StageCosts::of(const std::string& stage) {
  for (StageCost& known : stages_) {
    if (known.stage == stage) return known;
  }
  return stages_.emplace_back(StageCost{stage, 0, {}, {}});
}

}  // namespace moviechat
