#include "bundle/footprint.h"

#include <ATen/ops/zeros.h>

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>

namespace moviechat {
namespace {

/// Counts what torch's allocators give out and take back on one device.
class AllocationCounter : public c10::MemoryReportingInfoBase {
 public:
  explicit AllocationCounter(torch::Device device) : device_(device) {}

  void reportMemoryUsage(void* /*pointer*/, int64_t size, size_t /*total_allocated*/,
                         size_t /*total_reserved*/, c10::Device device) override {
    if (device.type() != device_.type()) return;
    now_ += size;
    peak_ = std::max(peak_, now_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  int64_t peak() const { return peak_; }

 private:
  torch::Device device_;
  int64_t now_ = 0;
  int64_t peak_ = 0;
};

int64_t peak_of(torch::Device device, const std::function<void()>& call) {
  const auto counter = std::make_shared<AllocationCounter>(device);
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
  call();
  return counter->peak();
}

/// Bytes of a call with `size` rows, from those of calls with a and 2a: a line.
int64_t extrapolated(torch::Device device, int64_t a, int64_t size,
                     const std::function<void(int64_t)>& call) {
  call(a);  // what is allocated once only
  const int64_t one = peak_of(device, [&] { call(a); });
  const int64_t two = peak_of(device, [&] { call(2 * a); });
  const double slope = std::max(0.0, static_cast<double>(two - one) / static_cast<double>(a));
  return one + static_cast<int64_t>(slope * static_cast<double>(size - a));
}

int64_t sum(const std::vector<std::pair<std::string, int64_t>>& parts) {
  return std::accumulate(parts.begin(), parts.end(), int64_t{0},
                         [](int64_t all, const auto& part) { return all + part.second; });
}

}  // namespace

int64_t Footprint::all_weights() const { return sum(weights); }

int64_t Footprint::most_activations() const {
  int64_t most = 0;
  for (const auto& [part, bytes] : activations) most = std::max(most, bytes);
  return most;
}

Footprint measure_footprint(const Bundle& bundle, int64_t batch, int64_t beams) {
  const BundleSizes& sizes = bundle.spec().sizes;
  const int64_t context = bundle.spec().prompt.context;
  const torch::Device device = bundle.device();
  const auto options = torch::TensorOptions().device(device).dtype(bundle.dtype());
  Footprint footprint;
  for (const ScriptModule* part :
       {&bundle.frame_encoder(), &bundle.memory_reader(), &bundle.language_model()}) {
    footprint.weights.emplace_back(part->name(), part->bytes());
  }

  const int64_t caches = beams > 1 ? 1 + beams : 1;
  footprint.kv_cache = 2 * caches * sizes.layers * sizes.kv_heads * sizes.head_dim * context *
                       static_cast<int64_t>(c10::elementSize(bundle.dtype()));

  const auto encode = [&](int64_t frames) {
    bundle.frame_encoder().call("forward", {torch::zeros({frames, 3, sizes.image, sizes.image},
                                                         options.dtype(torch::kByte))});
  };
  const auto read = [&](int64_t blocks) {
    bundle.memory_reader().call("forward",
                                {torch::zeros({blocks, sizes.tokens, sizes.width}, options)});
  };
  constexpr int64_t kTokens = 8;
  const auto cache =
      bundle.language_model().call_tuple("make_cache", {int64_t{1}, int64_t{2 * kTokens}});
  const auto prefill = [&](int64_t tokens) {
    bundle.language_model().call("step", {torch::zeros({1, tokens, sizes.hidden}, options),
                                          cache.at(0), cache.at(1), int64_t{0}});
  };
  footprint.activations = {
      {bundle.frame_encoder().name(), extrapolated(device, 1, batch, encode)},
      {bundle.memory_reader().name(), extrapolated(device, 1, sizes.positions, read)},
      {bundle.language_model().name(), extrapolated(device, kTokens, context, prefill)}};
  return footprint;
}

}  // namespace moviechat
