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

bool same_memory(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.data_ptr() == y.data_ptr() && x.sizes() == y.sizes() && x.strides() == y.strides();
  });
}

}  // namespace

LanguageModel::LanguageModel(const ScriptModule& module)
    : LanguageModel(module, module.device().is_cuda() && module.has_method("step_rows")
                                ? Steps::fixed
                                : Steps::growing) {}

torch::Tensor LanguageModel::embed(std::span<const int64_t> ids) const {
  return module_->call("embed",
                       {on_host(ids, device()).to(device(), /*non_blocking=*/true)});  // [n, H]
}

KvCache LanguageModel::make_cache(int64_t rows, int64_t capacity) const {
  auto tensors = module_->call_tuple("make_cache", {rows, capacity});
  KvCache cache;
  cache.keys_ = std::move(tensors.at(0));
  cache.values_ = std::move(tensors.at(1));
  return cache;
}

torch::Tensor LanguageModel::step(const torch::Tensor& embeddings, KvCache& cache) const {
  check_room(embeddings.size(1), cache);
  auto logits =
      module_->call("step", {embeddings, cache.keys_, cache.values_, cache.length_});  // [B, V]
  cache.length_ += embeddings.size(1);
  return logits;
}

torch::Tensor LanguageModel::next(std::span<const int64_t> ids, KvCache& cache) const {
  if (steps_ == Steps::growing) return step(embed(ids).unsqueeze(1), cache);
  check_room(1, cache);
  auto logits = next_rows(
      ids,
      {std::vector<int64_t>(ids.size(), cache.length_), std::vector<int64_t>(ids.size(), -1), {}},
      cache);
  ++cache.length_;
  return logits;
}

torch::Tensor LanguageModel::next_rows(std::span<const int64_t> ids, const RowPlaces& places,
                                       KvCache& cache) const {
  const c10::InferenceMode guard;
  std::vector<int64_t> numbers(ids.begin(), ids.end());
  numbers.insert(numbers.end(), places.slots.begin(), places.slots.end());
  for (size_t row = 0; row < ids.size(); ++row) {
    const int64_t prefix = places.prefix_of[row];
    numbers.push_back(places.slots[row] + (prefix < 0 ? 0 : places.prefixes[prefix].keys.size(3)));
  }
  numbers.insert(numbers.end(), places.prefix_of.begin(), places.prefix_of.end());
  const torch::Tensor input = on_host(numbers, device()).view({4, -1});
  std::vector<torch::Tensor> keys;
  std::vector<torch::Tensor> values;
  for (const KvSlice& prefix : places.prefixes) {
    keys.push_back(prefix.keys);
    values.push_back(prefix.values);
  }

  KvCache::Step& step = cache.next_;
  if (!step.input.defined()) step.input = torch::empty_like(input, device());
  step.input.copy_(input, /*non_blocking=*/true);
  const auto read = [&] {
    const torch::Tensor column = module_->call("embed", {step.input[0]}).unsqueeze(1);  // [B, 1, H]
    step.logits = module_->call("step_rows", {column, cache.keys_, cache.values_, step.input[1],
                                              step.input[2], step.input[3], keys, values});
  };
  if (!same_memory(keys, step.prefix)) {  // a graph reads where it was recorded
    step.recorded = false;
    step.prefix = keys;
  }
  if (!step.recorded) step.graph = record_graph(device(), read);
  step.recorded = true;
  if (step.graph != nullptr) {
    step.graph->replay();
  } else {
    read();
  }
  return step.logits;  // [B, V]
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
