#pragma once

#include "bundle/tensor.h"

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <vector>

#include "language/language_model.h"

namespace moviechat {

/// A part of a prompt as the language model reads it: ids, or rows of embeddings.
struct PrefixPart {
  std::vector<int64_t> ids;
  torch::Tensor embeddings;  // [n, H]
  int64_t size() const { return embeddings.defined() ? embeddings.size(0) : std::ssize(ids); }
  /// By content: a memory that was read again is the same.
  bool same_as(const PrefixPart& other) const;
};

/// The beginning of prompts, and the keys and values of those of its positions that were read. What
/// its cache holds behind the prefix is scratch: whoever wants it kept copies it away.
struct Prefix {
  std::vector<PrefixPart> parts;
  int64_t length = 0;  // positions of all parts
  KvCache cache;

  bool is_read() const { return cache.length() >= length; }
};

/// Prefixes of the prompts that were read last: text before a film, and the film. Prefixes in use
/// are never evicted. Unused ones are evicted, least recently used first, over a limit of bytes;
/// the newest is always kept. One thread at a time; the model outlives it.
class PrefixCache {
 public:
  static constexpr int64_t kDefaultByteLimit = 32 << 20;

  explicit PrefixCache(const LanguageModel& model, int64_t byte_limit = kDefaultByteLimit);

  /// The prefix with these parts, and room for `tail` positions behind it. Parts that another
  /// prefix begins with are taken over; the rest is to be read.
  std::shared_ptr<Prefix> find(std::span<const PrefixPart> parts, int64_t tail);

  /// Keeps only what fits the limit, be it nothing.
  void trim() { evict_unused(byte_limit_); }

 private:
  std::shared_ptr<Prefix> known(std::span<const PrefixPart> parts);
  std::shared_ptr<Prefix> make(std::span<const PrefixPart> parts, int64_t capacity);
  std::list<std::shared_ptr<Prefix>> evict_unused(int64_t byte_limit);

  const LanguageModel& model_;
  int64_t byte_limit_;
  int64_t bytes_of_position_;
  std::list<std::shared_ptr<Prefix>> prefixes_;  // the one that was used last first
};

}  // namespace moviechat
