#include "moviechat/answer/language_model.h"

#include <c10/core/InferenceMode.h>

#include <string>

#include "moviechat/support/error.h"

namespace moviechat {

void KvCache::truncate(int64_t length) {
  if (length < 0 || length > length_) {
    throw Error("key-value cache: cannot truncate " + std::to_string(length_) + " positions to " +
                std::to_string(length));
  }
  length_ = length;
}

KvCache KvCache::clone() const {
  KvCache copy;
  if (keys_.defined()) {
    copy.keys_ = keys_.clone();
    copy.values_ = values_.clone();
  }
  copy.length_ = length_;
  return copy;
}

void KvCache::copy_from(const KvCache& one) {
  if (one.batch() != 1 || one.length_ > capacity()) {
    throw Error("key-value cache: cannot take " + std::to_string(one.length_) + " positions of " +
                std::to_string(one.batch()) + " rows into a capacity of " +
                std::to_string(capacity()));
  }
  length_ = one.length_;
  if (length_ == 0) return;
  const c10::InferenceMode guard;  // the module's tensors are written in place
  keys_.narrow(3, 0, length_).copy_(one.keys_.narrow(3, 0, length_));  // one row goes to all
  values_.narrow(3, 0, length_).copy_(one.values_.narrow(3, 0, length_));
}

void KvCache::select(const std::vector<int64_t>& rows, int64_t from) {
  bool moved = false;
  for (size_t b = 0; b < rows.size(); ++b) moved |= rows[b] != static_cast<int64_t>(b);
  if (!moved || from >= length_) return;
  const c10::InferenceMode guard;  // the module's tensors are written in place
  const auto index = torch::tensor(rows, torch::kInt64).to(keys_.device());
  for (torch::Tensor* cached : {&keys_, &values_}) {
    auto changing = cached->narrow(3, from, length_ - from);
    changing.copy_(changing.index_select(1, index));
  }
}

torch::Tensor LanguageModel::embed(std::span<const int64_t> ids) const {
  const auto tensor = torch::tensor(at::ArrayRef<int64_t>(ids.data(), ids.size()), torch::kInt64);
  return module_->call("embed", {tensor.to(module_->device())});  // [n, H]
}

torch::Tensor LanguageModel::embed_column(std::span<const int64_t> ids) const {
  return embed(ids).unsqueeze(1);  // [B, 1, H]
}

KvCache LanguageModel::make_cache(int64_t batch, int64_t capacity) const {
  auto tensors = module_->call_tuple("make_cache", {batch, capacity});
  KvCache cache;
  cache.keys_ = std::move(tensors.at(0));
  cache.values_ = std::move(tensors.at(1));
  return cache;
}

torch::Tensor LanguageModel::step(const torch::Tensor& embeddings, KvCache& cache) const {
  check_room(embeddings, cache);
  auto logits =
      module_->call("step", {embeddings, cache.keys_, cache.values_, cache.length_});  // [B, rows]
  cache.length_ += embeddings.size(1);
  return logits;
}

std::pair<torch::Tensor, torch::Tensor> LanguageModel::step_attention(
    const torch::Tensor& embeddings, KvCache& cache) const {
  check_room(embeddings, cache);
  auto both = module_->call_tuple("step_attention",
                                  {embeddings, cache.keys_, cache.values_, cache.length_});
  cache.length_ += embeddings.size(1);
  return {std::move(both.at(0)), std::move(both.at(1))};
}

void LanguageModel::check_room(const torch::Tensor& embeddings, const KvCache& cache) const {
  if (cache.length_ + embeddings.size(1) > cache.capacity()) {
    throw Error("language model: " + std::to_string(embeddings.size(1)) + " positions after " +
                std::to_string(cache.length_) + " do not fit a cache of " +
                std::to_string(cache.capacity()));
  }
}

}  // namespace moviechat
