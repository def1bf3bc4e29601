#include "memory/block_list.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>

#include <algorithm>

namespace moviechat {
namespace {

torch::Tensor merged_features(const Block& left, const Block& right, Merge merge) {
  const auto a = left.features.to(torch::kFloat);
  const auto b = right.features.to(torch::kFloat);
  const double both = left.frames + right.frames;
  const auto merged =
      merge == Merge::mean || both <= 0 ? (a + b) / 2 : (a * left.frames + b * right.frames) / both;
  return merged.to(left.features.scalar_type());
}

}  // namespace

void BlockList::append(Block block) {
  blocks_.push_back(std::move(block));
  means_.emplace_back();
  if (blocks_.size() > 1) similarities_.emplace_back();
}

void BlockList::clear() {
  blocks_.clear();
  means_.clear();
  similarities_.clear();
}

void BlockList::consolidate(int64_t keep, Merge merge, const MergeStepSink& record) {
  while (size() > std::max<int64_t>(keep, 1)) {
    compare_unknown();
    const int64_t at = most_similar();
    if (record) record({at, *similarities_[at]});
    merge_at(at, merge);
  }
}

void BlockList::compare_unknown() {
  std::vector<int64_t> pairs;
  for (size_t i = 0; i < similarities_.size(); ++i) {
    if (!similarities_[i]) pairs.push_back(static_cast<int64_t>(i));
  }
  if (pairs.empty()) return;

  std::vector<torch::Tensor> left;
  std::vector<torch::Tensor> right;
  const auto knowledge_of = [this](int64_t i) {
    if (similarity_ == Similarity::cosine) return blocks_[i].features;
    if (!means_[i].defined()) means_[i] = token_means(blocks_[i].features);
    return means_[i];
  };
  for (const int64_t i : pairs) {
    left.push_back(knowledge_of(i));
    right.push_back(knowledge_of(i + 1));
  }
  const auto compare = similarity_ == Similarity::cosine ? block_cosine : block_dot;
  // One copy to the host for all pairs: the blocks may live on a GPU.
  const auto found = compare(torch::stack(left), torch::stack(right)).cpu();  // [P]
  const float* values = found.const_data_ptr<float>();
  for (size_t p = 0; p < pairs.size(); ++p) similarities_[pairs[p]] = values[p];
}

int64_t BlockList::most_similar() const {
  size_t best = 0;
  for (size_t i = 1; i < similarities_.size(); ++i) {
    if (*similarities_[i] > *similarities_[best]) best = i;  // the first of equals wins
  }
  return static_cast<int64_t>(best);
}

void BlockList::merge_at(int64_t at, Merge merge) {
  Block& left = blocks_[at];
  const Block& right = blocks_[at + 1];
  left.features = merged_features(left, right, merge);
  left.start = std::min(left.start, right.start);
  left.end = std::max(left.end, right.end);
  left.frames += right.frames;
  blocks_.erase(blocks_.begin() + at + 1);

  means_[at] = torch::Tensor();
  means_.erase(means_.begin() + at + 1);
  similarities_.erase(similarities_.begin() + at);
  if (at > 0) similarities_[at - 1].reset();
  if (at < static_cast<int64_t>(similarities_.size())) similarities_[at].reset();
}

}  // namespace moviechat
