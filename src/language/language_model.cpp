#include "language/language_model.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <string>

#include "moviechat/error.h"

namespace moviechat {
namespace {

/// Numbers for a device: page-locked memory is copied behind the host's back.
torch::Tensor on_host(std::span<const int64_t> numbers, torch::Device device) {
  const auto options = torch::TensorOptions(torch::kLong).pinned_memory(device.is_cuda());
  torch::Tensor host = torch::empty({std::ssize(numbers)}, options);
  std::copy(numbers.begin(), numbers.end(), host.data_ptr<int64_t>());
  return host;
}

/// Numbers on a device, without waiting for it.
torch::Tensor on_device(std::span<const int64_t> numbers, torch::Device device) {
  return on_host(numbers, device).to(device, /*non_blocking=*/true);
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

KvCache LanguageModel::make_cache(int64_t batch, int64_t capacity) const {
  auto tensors = module_->call_tuple("make_cache", {batch, capacity});
  KvCache cache;
  cache.keys_ = std::move(tensors.at(0));
  cache.values_ = std::move(tensors.at(1));
  return cache;
}

torch::Tensor LanguageModel::step(const torch::Tensor& embeddings, KvCache& cache) const {
  check_room(embeddings.size(1), cache);
  auto logits =
      module_->call("step", {embeddings, cache.keys_, cache.values_, cache.length_});  // [B, rows]
  cache.length_ += embeddings.size(1);
  return logits;
}

torch::Tensor LanguageModel::next(std::span<const int64_t> ids, KvCache& cache) const {
  if (steps_ == Steps::growing) return step(embed(ids).unsqueeze(1), cache);
  check_room(1, cache);
  auto logits = next_at(ids, std::vector<int64_t>(ids.size(), cache.length_), cache);
  ++cache.length_;
  return logits;
}

torch::Tensor LanguageModel::next_at(std::span<const int64_t> ids,
                                     std::span<const int64_t> positions, KvCache& cache) const {
  const c10::InferenceMode guard;
  std::vector<int64_t> numbers(ids.begin(), ids.end());
  numbers.insert(numbers.end(), positions.begin(), positions.end());
  const torch::Tensor input = on_host(numbers, device()).view({2, -1});
  KvCache::Step& step = cache.next_;
  if (!step.input.defined()) step.input = torch::empty_like(input, device());
  step.input.copy_(input, /*non_blocking=*/true);
  const auto read = [&] {
    const torch::Tensor column = module_->call("embed", {step.input[0]}).unsqueeze(1);  // [B, 1, H]
    step.logits = module_->call("step_at", {column, cache.keys_, cache.values_, step.input[1]});
  };
  if (!step.recorded) step.graph = record_graph(device(), read);
  step.recorded = true;
  if (step.graph != nullptr) {
    step.graph->replay();
  } else {
    read();
  }
  return step.logits;  // [B, rows]
}

std::pair<torch::Tensor, torch::Tensor> LanguageModel::step_attention(
    const torch::Tensor& embeddings, KvCache& cache) const {
  check_room(embeddings.size(1), cache);
  auto both = module_->call_tuple("step_attention",
                                  {embeddings, cache.keys_, cache.values_, cache.length_});
  cache.length_ += embeddings.size(1);
  return {std::move(both.at(0)), std::move(both.at(1))};
}

void LanguageModel::check_room(int64_t positions, const KvCache& cache) const {
  if (cache.length_ + positions > cache.capacity()) {
    throw Error("language model: " + std::to_string(positions) + " positions after " +
                std::to_string(cache.length_) + " do not fit a cache of " +
                std::to_string(cache.capacity()));
  }
}

}  // namespace moviechat
