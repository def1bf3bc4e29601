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
  torch::Tensor rows;  // [n, H]
  int64_t size() const { return rows.defined() ? rows.size(0) : std::ssize(ids); }
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

/// Prefixes of the prompts that were read last: text before a film, and the film. Those in use stay
/// whatever their number; of the others, those that were used last, as long as they fit the bytes
/// that are kept, and always one. One thread at a time; the model outlives it.
class PrefixCache {
 public:
  static constexpr int64_t kBytes = 32 << 20;

  explicit PrefixCache(const LanguageModel& model, int64_t bytes = kBytes);

  /// The prefix with these parts, and room for `tail` positions behind it. Parts that another
  /// prefix begins with are taken over; the rest is to be read.
  std::shared_ptr<Prefix> find(std::span<const PrefixPart> parts, int64_t tail);

 private:
  std::shared_ptr<Prefix> known(std::span<const PrefixPart> parts);
  std::shared_ptr<Prefix> make(std::span<const PrefixPart> parts, int64_t capacity);
  std::list<std::shared_ptr<Prefix>> take_unused(int64_t kept_bytes);

  const LanguageModel& model_;
  int64_t bytes_;
  int64_t bytes_of_position_;
  std::list<std::shared_ptr<Prefix>> prefixes_;  // the one that was used last first
};

}  // namespace moviechat
