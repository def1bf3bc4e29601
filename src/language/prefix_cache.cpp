#include "language/prefix_cache.h"

#include <ATen/ops/equal.h>

#include <algorithm>

namespace moviechat {
namespace {

/// Caches grow in such steps, so that questions of about the same length share one.
constexpr int64_t kStep = 256;

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
  if (rows.defined() != other.rows.defined()) return false;
  if (!rows.defined()) return ids == other.ids;
  return rows.is_same(other.rows) ||
         (rows.sizes() == other.rows.sizes() && torch::equal(rows, other.rows));
}

PrefixCache::PrefixCache(const LanguageModel& model, int64_t bytes)
    : model_(model), bytes_(bytes), bytes_of_position_(model.make_cache(1, 1).bytes()) {}

std::shared_ptr<Prefix> PrefixCache::find(std::span<const PrefixPart> parts, int64_t tail) {
  int64_t length = 0;
  for (const PrefixPart& part : parts) length += part.size();
  const int64_t capacity = (length + tail + kStep - 1) / kStep * kStep;
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
  auto unused = take_unused(bytes_ - capacity * bytes_of_position_);
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

/// Takes those out that nobody uses and that do not fit beside those which do, or were used later.
std::list<std::shared_ptr<Prefix>> PrefixCache::take_unused(int64_t kept_bytes) {
  std::list<std::shared_ptr<Prefix>> unused;
  int64_t kept = 0;
  for (auto prefix = prefixes_.begin(); prefix != prefixes_.end();) {
    const auto next = std::next(prefix);
    const int64_t bytes = (*prefix)->cache.bytes();
    if (prefix->use_count() == 1 && kept + bytes > kept_bytes) {
      unused.splice(unused.end(), prefixes_, prefix);
    } else {
      kept += bytes;
    }
    prefix = next;
  }
  return unused;
}

}  // namespace moviechat
