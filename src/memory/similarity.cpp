#include "memory/similarity.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cosine_similarity.h>

namespace moviechat {

torch::Tensor block_cosine(const torch::Tensor& left, const torch::Tensor& right) {
  return at::cosine_similarity(left.to(torch::kFloat), right.to(torch::kFloat), /*dim=*/-1)
      .mean(-1);  // [P, N] → [P]
}

torch::Tensor token_means(const torch::Tensor& blocks) {
  return blocks.to(torch::kFloat).mean(-2);  // [T, N, C] → [T, C]
}

torch::Tensor block_dot(const torch::Tensor& left_means, const torch::Tensor& right_means) {
  // reference: (a @ b.T).mean(); the mean of all pairs is the dot of the means, so O(N·C) per block
  return (left_means * right_means).sum(-1);
}

}  // namespace moviechat
