#pragma once

#include "bundle/tensor.h"

#include <initializer_list>
#include <string>

namespace moviechat {

/// One dimension of what a part gives: its name among model.yaml's sizes, and what stands there.
struct Dimension {
  const char* name = "";
  int64_t size = 0;  // 0: an older bundle does not say
};

/// InputError names the first size that a part's output contradicts, and both numbers.
void check_sizes(const std::string& part, const torch::Tensor& output,
                 std::initializer_list<Dimension> expected);

}  // namespace moviechat
