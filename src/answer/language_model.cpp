#include "moviechat/answer/language_model.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <string>

#include "moviechat/support/error.h"

namespace moviechat {
namespace {

/// Numbers on a device, without waiting for it: page-locked memory is copied behind the host's
/// back.
torch::Tensor on_device(std::span<const int64_t> numbers, torch::Device device) {
  const auto options = torch::TensorOptions(torch::kInt64).pinned_memory(device.is_cuda());
  const torch::Tensor host = torch::empty({std::ssize(numbers)}, options);
  std::copy(numbers.begin(), numbers.end(), host.data_ptr<int64_t>());
  return host.to(device, /*non_blocking=*/true);
}

}  // namespace

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

void KvCache::set_row(int64_t row, const KvCache& one) {
  if (one.batch() != 1 || one.length_ > capacity() || row < 0 || row >= batch()) {
    throw Error("key-value cache: cannot take " + std::to_string(one.length_) + " positions of " +
                std::to_string(one.batch()) + " rows into row " + std::to_string(row) + " of " +
                std::to_string(batch()) + ", capacity " + std::to_string(capacity()));
  }
  const c10::InferenceMode guard;  // the module's tensors are written in place
  const int64_t length = one.length_;
  keys_.select(1, row).narrow(2, 0, length).copy_(one.keys_.select(1, 0).narrow(2, 0, length));
  values_.select(1, row).narrow(2, 0, length).copy_(one.values_.select(1, 0).narrow(2, 0, length));
}

KvCache KvCache::row(int64_t row, int64_t length) const {
  if (row < 0 || row >= batch() || length < 0 || length > capacity()) {
    throw Error("key-value cache: there are no " + std::to_string(length) + " positions of row " +
                std::to_string(row) + " in " + std::to_string(batch()) + " rows, capacity " +
                std::to_string(capacity()));
  }
  const c10::InferenceMode guard;  // the module's tensors are written in place
  KvCache one;
  one.keys_ = keys_.narrow(1, row, 1);
  one.values_ = values_.narrow(1, row, 1);
  one.length_ = length;
  return one;
}

void KvCache::select(const std::vector<int64_t>& rows, int64_t from) {
  bool moved = false;
  for (size_t b = 0; b < rows.size(); ++b) moved |= rows[b] != static_cast<int64_t>(b);
  if (!moved || from >= length_) return;
  const c10::InferenceMode guard;  // the module's tensors are written in place
  const auto index = on_device(rows, keys_.device());
  for (torch::Tensor* cached : {&keys_, &values_}) {
    auto changing = cached->narrow(3, from, length_ - from);
    changing.copy_(changing.index_select(1, index));
  }
}

LanguageModel::LanguageModel(const ScriptModule& module)
    : LanguageModel(module, module.device().is_cuda() && module.has_method("step_at")
                                ? Steps::fixed
                                : Steps::growing) {}

torch::Tensor LanguageModel::embed(std::span<const int64_t> ids) const {
  return module_->call("embed", {on_device(ids, module_->device())});  // [n, H]
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
  if (steps_ == Steps::fixed && embeddings.size(1) == 1) {
    const c10::InferenceMode guard;
    if (cache.next_at_ != cache.length_) {
      cache.next_ = torch::full({cache.batch()}, cache.length_,
                                torch::TensorOptions(torch::kInt64).device(device()));
    }
    auto logits = step_at(embeddings, cache, cache.next_);
    cache.next_.add_(1);
    cache.next_at_ = ++cache.length_;
    return logits;
  }
  auto logits =
      module_->call("step", {embeddings, cache.keys_, cache.values_, cache.length_});  // [B, rows]
  cache.length_ += embeddings.size(1);
  return logits;
}

torch::Tensor LanguageModel::step_at(const torch::Tensor& embeddings, KvCache& cache,
                                     const torch::Tensor& positions) const {
  return module_->call("step_at",
                       {embeddings, cache.keys_, cache.values_, positions});  // [B, rows]
}

torch::Tensor LanguageModel::step_at(const torch::Tensor& embeddings, KvCache& cache,
                                     std::span<const int64_t> positions) const {
  return step_at(embeddings, cache, on_device(positions, device()));  // [B, rows]
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
