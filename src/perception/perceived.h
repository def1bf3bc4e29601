#pragma once

#include "bundle/tensor.h"

namespace moviechat {

/// A frame as the model sees it.
struct Perceived {
  torch::Tensor blocks;    // [N, C]
  torch::Tensor features;  // [D] of the whole picture, for policies that compare it with a
                           // question; undefined where the bundle has none
};

}  // namespace moviechat
