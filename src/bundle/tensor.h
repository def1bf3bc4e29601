#pragma once

// torch::Tensor, torch::kFloat and the like without torch/types.h, which declares every operator
// of torch and costs each file seconds to compile. Operators are included one by one where they
// are called: <ATen/ops/stack.h> has torch::stack.
#include <ATen/core/Tensor.h>

namespace torch {
using namespace at;  // as torch/types.h has it
}
