#include "bundle/limits.h"

#include <ATen/ops/_weight_int8pack_mm.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/rand.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "bundle/device.h"

namespace moviechat {
namespace {

using Kernel = std::function<void()>;

struct Dtypes {
  torch::ScalarType weights;
  torch::ScalarType activations;
};
constexpr std::array kGemms{
    Dtypes{torch::kFloat, torch::kFloat}, Dtypes{torch::kHalf, torch::kHalf},
    Dtypes{torch::kBFloat16, torch::kBFloat16}, Dtypes{torch::kChar, torch::kBFloat16}};
constexpr std::array kMatrixVectors{
    Dtypes{torch::kFloat, torch::kFloat}, Dtypes{torch::kHalf, torch::kHalf},
    Dtypes{torch::kBFloat16, torch::kBFloat16}, Dtypes{torch::kChar, torch::kBFloat16},
    Dtypes{torch::kChar, torch::kFloat}};

std::string name_of_dtype(torch::ScalarType dtype) {
  return dtype == torch::kChar ? "int8" : dtype_name(dtype);
}

/// Measures kernels on one device for some seconds each.
class Meter {
 public:
  Meter(torch::Device device, const CancelFlag* cancel) : device_(device), cancel_(cancel) {}

  /// Seconds of one call, the fastest of those made within `budget`, the first not counted.
  double fastest(const Kernel& kernel, double budget) const {
    time(kernel, 1);
    const double once = time(kernel, 1);
    // A GPU takes calls faster than it does them: it is waited for once for many.
    const int calls =
        device_.is_cuda() ? static_cast<int>(std::clamp(0.01 / once, 1.0, 1000.0)) : 1;
    double best = once;
    for (double spent = once; spent < budget;) {
      const double seconds = time(kernel, calls);
      spent += seconds;
      best = std::min(best, seconds / calls);
    }
    return best;
  }

  /// Uniform in [-1, 1): constant numbers would let a GPU clock higher than real weights do. int8:
  /// in steps of 1/127 of that.
  torch::Tensor random(at::IntArrayRef shape, torch::ScalarType dtype) const {
    const torch::Tensor numbers =
        at::rand(shape, torch::TensorOptions().device(device_)).mul_(2).sub_(1);
    return dtype == torch::kChar ? numbers.mul_(127).to(dtype) : numbers.to(dtype);
  }

 private:
  double time(const Kernel& kernel, int calls) const {
    if (cancel_ != nullptr) cancel_->check();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) kernel();
    if (device_.is_cuda()) {
      const c10::impl::VirtualGuardImpl guard(device_.type());
      guard.synchronizeStream(guard.getStream(device_));
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    return spent.count();
  }

  torch::Device device_;
  const CancelFlag* cancel_;
};

/// x [rows, in] × weights [out, in]ᵀ, as a layer of these dtypes is computed; scales [out] are
/// int8's.
void multiply(const torch::Tensor& x, const torch::Tensor& weights, const torch::Tensor& scales) {
  if (weights.scalar_type() == torch::kChar) {
    at::_weight_int8pack_mm(x, weights, scales);
  } else {
    at::linear(x, weights);
  }
}

/// The best of growing sizes, for as long as the next one fits into the budget.
void measure_gemm(const Meter& meter, Dtypes dtypes, double budget, Limit& best) {
  constexpr int64_t kLargest = 8192;
  double last = 0;
  for (int64_t n = 256; n <= kLargest; n *= 2) {
    constexpr double kGrowth = 8;  // of the work when n doubles
    constexpr double kCalls = 3;   // the fewest that fastest() makes
    if (n > 256 && last * kGrowth * kCalls > budget) break;
    const torch::Tensor weights = meter.random({n, n}, dtypes.weights);
    const torch::Tensor x = meter.random({n, n}, dtypes.activations);
    const torch::Tensor scales = meter.random({n}, dtypes.activations);
    last = meter.fastest([&] { multiply(x, weights, scales); }, budget / 5);
    const int64_t work = 2 * n * n * n;
    if (static_cast<double>(work) / last > best.per_second()) {
      best.shape = {n, n};
      best.work = work;
      best.seconds = last;
    }
  }
}

/// The largest matrix of a 7B model's layers, copied until no cache holds all copies: 256 MiB.
std::vector<torch::Tensor> large_weights(const Meter& meter, torch::ScalarType dtype) {
  constexpr int64_t kIn = 4096;
  constexpr int64_t kOut = 11008;
  constexpr int64_t kPieces = 16;  // drawing random numbers is slow
  constexpr size_t kBytes = size_t{256} << 20;
  std::vector<torch::Tensor> weights{
      meter.random({kOut / kPieces, kIn}, dtype).repeat({kPieces, 1})};
  while (weights.size() * weights[0].nbytes() < kBytes) weights.push_back(weights[0].clone());
  return weights;
}

/// matrix_vector or read over large weights, each call on another copy.
void measure_reading(const Meter& meter, Dtypes dtypes, double budget, Limit& limit) {
  const std::vector<torch::Tensor> weights = large_weights(meter, dtypes.weights);
  const torch::Tensor x = meter.random({1, weights[0].size(1)}, dtypes.activations);
  const torch::Tensor scales = meter.random({weights[0].size(0)}, dtypes.activations);
  const Kernel all = [&] {
    for (const torch::Tensor& one : weights) {
      if (limit.kind == LimitKind::read) {
        at::amax(one);
      } else {
        multiply(x, one, scales);
      }
    }
  };
  limit.shape = weights[0].sizes().vec();
  limit.work = static_cast<int64_t>(weights[0].nbytes());
  limit.seconds = meter.fastest(all, budget) / static_cast<double>(weights.size());
}

}  // namespace

std::vector<Limit> measure_limits(torch::Device device, double seconds,
                                  const ProgressSink& progress, const CancelFlag* cancel) {
  const c10::InferenceMode inference;
  const Meter meter(device, cancel);
  constexpr size_t kRows = kGemms.size() + kMatrixVectors.size() + 1;
  const double budget = seconds / static_cast<double>(kRows);
  std::vector<Limit> limits;
  const auto measure = [&](LimitKind kind, Dtypes dtypes) {
    Limit limit;
    limit.kind = kind;
    limit.weights = name_of_dtype(dtypes.weights);
    if (kind != LimitKind::read) limit.activations = name_of_dtype(dtypes.activations);
    try {
      (kind == LimitKind::gemm ? measure_gemm : measure_reading)(meter, dtypes, budget, limit);
    } catch (const c10::Error& error) {
      const std::string why = error.what_without_backtrace();
      limit.unavailable = why.substr(0, why.find('\n'));
    }
    limits.push_back(std::move(limit));
    if (progress) {
      progress({"measuring", static_cast<int64_t>(limits.size()), kRows, "kernels"});
    }
  };
  for (const Dtypes& dtypes : kGemms) measure(LimitKind::gemm, dtypes);
  for (const Dtypes& dtypes : kMatrixVectors) measure(LimitKind::matrix_vector, dtypes);
  measure(LimitKind::read, kGemms.front());
  return limits;
}

}  // namespace moviechat
