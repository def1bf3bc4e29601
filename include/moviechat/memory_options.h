#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "moviechat/fields.h"

namespace moviechat {

/// How alike two blocks are.
enum class Similarity {
  cosine,  // mean over the tokens of the cosine of token j with token j (papers)
  dot,     // mean over all pairs of tokens of their dot product (released code)
};

template <>
struct EnumNames<Similarity> {
  static constexpr std::array values{std::pair{std::string_view("cosine"), Similarity::cosine},
                                     std::pair{std::string_view("dot"), Similarity::dot}};
};

/// Weights of two long-term blocks when they are merged.
enum class Merge {
  weighted,  // by the frames that each stands for
  mean,      // equally (papers)
};

template <>
struct EnumNames<Merge> {
  static constexpr std::array values{std::pair{std::string_view("weighted"), Merge::weighted},
                                     std::pair{std::string_view("mean"), Merge::mean}};
};

/// Memory policies, by what they keep of a film; one class each, see make_memory().
enum class Policy {
  window,  // short-term memory is consolidated whenever it is full, and what is left stays (paper)
  per_clip,  // it is consolidated at the end of each clip, and emptied (released code)
  keep_all,  // no memory: every block is kept as it is (uniform sampling)
};

template <>
struct EnumNames<Policy> {
  static constexpr std::array values{std::pair{std::string_view("window"), Policy::window},
                                     std::pair{std::string_view("per_clip"), Policy::per_clip},
                                     std::pair{std::string_view("keep_all"), Policy::keep_all}};
};

struct MemoryOptions {
  Policy policy = Policy::window;
  int64_t short_capacity = 18;
  int64_t keep = 2;
  int64_t long_capacity = 256;
  Similarity similarity = Similarity::cosine;
  Merge merge = Merge::weighted;

  /// New frames that fill short-term memory: K − m.
  int64_t window() const { return short_capacity - keep; }
  /// InputError when the numbers contradict each other.
  void check() const;
};

inline constexpr int64_t kLargestCapacity = 65536;  // blocks; merging looks at all of them

template <class Visitor>
void visit_fields(MemoryOptions& o, Visitor& field) {
  field(
      "policy", o.policy,
      "window merges whenever short-term memory is full, per_clip after each clip, keep_all never");
  field.former("consolidation", o.policy, {{"clip", "per_clip"}, {"never", "keep_all"}});
  field("short_capacity", o.short_capacity, {2, kLargestCapacity},
        "blocks in short-term memory (K)");
  field("keep", o.keep, {1, kLargestCapacity}, "blocks that a consolidation leaves (m)");
  field("long_capacity", o.long_capacity, {1, kLargestCapacity},
        "most blocks in long-term memory (L)");
  field("similarity", o.similarity, "how alike two blocks are");
  field("merge", o.merge, "how two long-term blocks become one");
}

}  // namespace moviechat
