#pragma once

#include "bundle/tensor.h"

namespace moviechat {

/// Cosine of block p of `left` with block p of `right`, averaged over tokens; a zero token is like
/// nothing (0). In float32 whatever the blocks are. left, right [P, N, C] → float32 [P]
torch::Tensor block_cosine(const torch::Tensor& left, const torch::Tensor& right);

/// What the dot similarity needs to know of each block. blocks [T, N, C] → float32 [T, C]
torch::Tensor token_means(const torch::Tensor& blocks);

/// Dot similarity from the means of the blocks. left, right [P, C] → float32 [P]
torch::Tensor block_dot(const torch::Tensor& left_means, const torch::Tensor& right_means);

}  // namespace moviechat
