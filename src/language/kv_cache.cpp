#include "language/kv_cache.h"

#include <ATen/ops/from_blob.h>

#include <c10/core/InferenceMode.h>

#include <string>

#include "moviechat/error.h"

namespace moviechat {

KvSlice KvSlice::row(int64_t row) const {
  return {keys.narrow(1, row, 1), values.narrow(1, row, 1)};
}

void KvSlice::copy_from(const KvSlice& other) const {
  const c10::InferenceMode guard;  // the module's tensors are written in place
  keys.copy_(other.keys);
  values.copy_(other.values);
}

int64_t KvCache::bytes() const {
  return keys_.defined() ? static_cast<int64_t>(keys_.nbytes() + values_.nbytes()) : 0;
}

void KvCache::truncate(int64_t length) {
  if (length < 0 || length > length_) {
    throw Error("key-value cache: cannot truncate " + std::to_string(length_) + " positions to " +
                std::to_string(length));
  }
  length_ = length;
}

void KvCache::set_length(int64_t length) {
  slice(0, length);
  length_ = length;
}

KvSlice KvCache::slice(int64_t start, int64_t count) const {
  if (start < 0 || count < 0 || start + count > capacity()) {
    throw Error("key-value cache: positions " + std::to_string(start) + " to " +
                std::to_string(start + count) + " are not within a capacity of " +
                std::to_string(capacity()));
  }
  const c10::InferenceMode guard;
  return {keys_.narrow(3, start, count), values_.narrow(3, start, count)};
}

void KvCache::select(const std::vector<int64_t>& rows, int64_t from) {
  bool moved = false;
  for (size_t b = 0; b < rows.size(); ++b) moved |= rows[b] != static_cast<int64_t>(b);
  if (!moved || from >= length_) return;
  const c10::InferenceMode guard;
  auto numbers = rows;
  const auto index =
      at::from_blob(numbers.data(), {std::ssize(numbers)}, torch::kLong).to(keys_.device());
  const KvSlice changing = slice(from, length_ - from);
  changing.copy_from(
      {changing.keys.index_select(1, index), changing.values.index_select(1, index)});
}

}  // namespace moviechat
