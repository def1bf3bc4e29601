#pragma once

#include "bundle/tensor.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moviechat/callbacks.h"
#include "moviechat/fields.h"

namespace moviechat {

/// What bounds a model's speed: arithmetic where many rows meet a weight matrix, memory where one
/// does.
enum class LimitKind {
  gemm,           // [n, n] × [n, n]ᵀ, the best n
  matrix_vector,  // one row × weights that no cache holds, as each decoded token reads them
  read,           // the largest element of such weights: reading alone
};
template <>
struct EnumNames<LimitKind> {
  static constexpr std::array values{
      std::pair{std::string_view("gemm"), LimitKind::gemm},
      std::pair{std::string_view("matrix_vector"), LimitKind::matrix_vector},
      std::pair{std::string_view("read"), LimitKind::read}};
};

/// The fastest of some calls of a library's kernel.
struct Limit {
  LimitKind kind = LimitKind::gemm;
  std::string weights;         // fp32, fp16, bf16, int8
  std::string activations;     // the same; "" for read
  std::vector<int64_t> shape;  // of the weights: [out, in]
  int64_t work = 0;    // of one call: operations (2 a multiply-add) of gemm, else bytes of weights
  double seconds = 0;  // of one call
  std::string unavailable;  // why the library has no such kernel; "" when it has

  double per_second() const { return seconds > 0 ? static_cast<double>(work) / seconds : 0; }
};

/// A device → what the libraries in use reach on it: GEMM and matrix × vector by dtype of the
/// weights, and reading. Takes about `seconds`, and some more to set up; below 1 GB of the device's
/// memory. fp32 is computed as fp32, not TF32.
std::vector<Limit> measure_limits(torch::Device device, double seconds,
                                  const ProgressSink& progress = nullptr,
                                  const CancelFlag* cancel = nullptr);

}  // namespace moviechat
