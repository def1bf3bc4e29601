#include "language/prefix_cache.h"

#include <ATen/ops/equal.h>

#include <algorithm>

namespace moviechat {
namespace {

/// Capacities are multiples of this, so that questions of about the same length share one.
constexpr int64_t kCapacityMultiple = 256;

struct Shared {
  size_t parts = 0;
  int64_t positions = 0;
};

/// How much of `parts` a prefix has read. Parts count whole: each is always read from its start.
Shared shared_with(const Prefix& prefix, std::span<const PrefixPart> parts) {
  Shared shared;
  const size_t most = std::min(prefix.parts.size(), parts.size());
  while (shared.parts < most && prefix.parts[shared.parts].same_as(parts[shared.parts])) {
    const int64_t positions = shared.positions + parts[shared.parts].size();
    if (positions > prefix.cache.length()) break;
    shared.positions = positions;
    ++shared.parts;
  }
  return shared;
}

}  // namespace

bool PrefixPart::same_as(const PrefixPart& other) const {
  if (embeddings.defined() != other.embeddings.defined()) return false;
  if (!embeddings.defined()) return ids == other.ids;
  return embeddings.is_same(other.embeddings) || (embeddings.sizes() == other.embeddings.sizes() &&
                                                  torch::equal(embeddings, other.embeddings));
}

PrefixCache::PrefixCache(const LanguageModel& model, int64_t byte_limit)
    : model_(model), byte_limit_(byte_limit), bytes_of_position_(model.make_cache(1, 1).bytes()) {}

std::shared_ptr<Prefix> PrefixCache::find(std::span<const PrefixPart> parts, int64_t tail) {
  int64_t length = 0;
  for (const PrefixPart& part : parts) length += part.size();
  const int64_t capacity =
      (length + tail + kCapacityMultiple - 1) / kCapacityMultiple * kCapacityMultiple;
  std::shared_ptr<Prefix> prefix = known(parts);
  if (prefix == nullptr) prefix = make(parts, capacity);
  if (prefix->cache.capacity() < capacity) {
    KvCache larger = model_.make_cache(1, capacity);
    const int64_t read = std::min(prefix->cache.length(), prefix->length);
    larger.slice(0, read).copy_from(prefix->cache.slice(0, read));
    larger.set_length(read);
    prefix->cache = std::move(larger);
  }
  prefixes_.remove(prefix);
  prefixes_.push_front(prefix);
  return prefix;
}

std::shared_ptr<Prefix> PrefixCache::known(std::span<const PrefixPart> parts) {
  for (const auto& prefix : prefixes_) {
    if (prefix->parts.size() == parts.size() &&
        std::equal(parts.begin(), parts.end(), prefix->parts.begin(),
                   [](const auto& a, const auto& b) { return a.same_as(b); })) {
      return prefix;
    }
  }
  return nullptr;
}

std::shared_ptr<Prefix> PrefixCache::make(std::span<const PrefixPart> parts, int64_t capacity) {
  auto prefix = std::make_shared<Prefix>();
  prefix->parts.assign(parts.begin(), parts.end());
  for (const PrefixPart& part : parts) prefix->length += part.size();

  Shared most;
  const Prefix* best = nullptr;
  for (const auto& other : prefixes_) {
    const Shared shared = shared_with(*other, parts);
    if (shared.positions <= most.positions) continue;
    most = shared;
    best = other.get();
  }
  auto unused = evict_unused(byte_limit_ - capacity * bytes_of_position_);
  unused.remove_if([&](const auto& other) { return other.get() != best; });
  if (!unused.empty() && best->cache.capacity() >= capacity) {
    prefix->cache = std::move(unused.front()->cache);
    prefix->cache.truncate(most.positions);
    return prefix;
  }
  prefix->cache = model_.make_cache(1, capacity);
  if (best != nullptr) {
    prefix->cache.slice(0, most.positions).copy_from(best->cache.slice(0, most.positions));
    prefix->cache.set_length(most.positions);
  }
  return prefix;
}

/// Removes and returns the unused prefixes that exceed the limit beside those in use.
std::list<std::shared_ptr<Prefix>> PrefixCache::evict_unused(int64_t byte_limit) {
  int64_t kept = 0;
  for (const auto& prefix : prefixes_) {
    if (prefix.use_count() > 1) kept += prefix->cache.bytes();
  }
  std::list<std::shared_ptr<Prefix>> evicted;
  for (auto prefix = prefixes_.begin(); prefix != prefixes_.end();) {
    const auto next = std::next(prefix);
    const bool used = prefix->use_count() > 1;
    if (!used) kept += (*prefix)->cache.bytes();
    if (!used && kept > byte_limit) evicted.splice(evicted.end(), prefixes_, prefix);
    prefix = next;
  }
  return evicted;
}

}  // namespace moviechat
