#pragma once

#include <array>
#include <cstdint>
#include <string>
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

/// How an answer is generated. The default is greedy: same question, same answer.
struct GenerationOptions {
  int64_t max_new_tokens = 300;
  double temperature = 0;
  int64_t top_k = 50;
  double top_p = 0.9;
  int64_t beams = 1;
  double repetition_penalty = 1;
  double length_penalty = 1;
  int64_t min_new_tokens = 0;
  int64_t seed = 0;

  bool sampled() const { return temperature > 0; }
  /// InputError when a number is out of its range, or two contradict each other.
  void check() const;
};

template <class Visitor>
void visit_fields(GenerationOptions& o, Visitor& field) {
  field("max_new_tokens", o.max_new_tokens, {1, 1'000'000}, "longest answer, in tokens");
  field("temperature", o.temperature, {0, 1000},
        "0: always the likeliest token; else sample, the bolder the higher");
  field("top_k", o.top_k, {0, 1'000'000}, "sample from the K likeliest tokens; 0: from all");
  field("top_p", o.top_p, {0, 1, false},
        "sample from the likeliest tokens that reach this probability; 1: from all");
  field("beams", o.beams, {1, 64}, "answers followed side by side; 1: no beam search");
  field("repetition_penalty", o.repetition_penalty, {0, 1000, false},
        "above 1 makes tokens of the answer less likely to come again");
  field("length_penalty", o.length_penalty, {-100, 100},
        "with beams: above 0 favours longer answers");
  field("min_new_tokens", o.min_new_tokens, {0, 1'000'000}, "shortest answer, in tokens");
  field("seed", o.seed, {0}, "seed of the sampling; the same seed gives the same answer");
}

enum class Verify {
  full,   // every part is hashed, and the self-test run
  quick,  // every part is there, and the self-test run
};

/// In which dtype matrices, nearly all of a model, lie in memory. What passes between them stays in
/// the dtype to compute in.
enum class Weights {
  automatic,  // compute; on a CPU, of parts whose file exceeds 1 GiB, bf16 where the processor
              // multiplies that faster than fp32, else stored
  stored,     // that of the file, widened as they are used: fp16 takes half the memory of fp32
  compute,    // that to compute in: converted once, when they are loaded
  exact,      // compute; on a CPU, of parts whose file exceeds 1 GiB, stored
  bf16,       // fp16 ones as bf16, and what is multiplied by them is rounded to that, too
};

template <>
struct EnumNames<Verify> {
  static constexpr std::array values{std::pair{std::string_view("full"), Verify::full},
                                     std::pair{std::string_view("quick"), Verify::quick}};
};

template <>
struct EnumNames<Weights> {
  static constexpr std::array values{std::pair{std::string_view("auto"), Weights::automatic},
                                     std::pair{std::string_view("stored"), Weights::stored},
                                     std::pair{std::string_view("compute"), Weights::compute},
                                     std::pair{std::string_view("exact"), Weights::exact},
                                     std::pair{std::string_view("bf16"), Weights::bf16}};
};

/// On what, and in what portions, the work is done. None of these changes an answer beyond
/// rounding.
struct RuntimeOptions {
  std::string device = "auto";
  std::string dtype = "auto";
  Weights weights = Weights::automatic;
  int64_t threads = 0;
  int64_t batch = 16;
  int64_t answers = 8;
  Verify verify = Verify::full;
};
template <class Visitor>
void visit_fields(RuntimeOptions& o, Visitor& field) {
  field("device", o.device, "cpu, cuda, cuda:INDEX, or auto: CUDA when there is one");
  field("dtype", o.dtype,
        "fp32, fp16, bf16, or auto: fp16 on CUDA, fp32 on a CPU; there, parts above 1 GiB multiply "
        "in "
        "bf16 where the processor is fast at it");
  field(
      "weights", o.weights,
      "matrices in memory: stored as in the bundle; compute: in the dtype to compute in; bf16: "
      "fp16 ones as bf16, and multiplied in it; exact: stored on a CPU if a part exceeds 1 GiB, "
      "else compute; auto: as exact, but bf16 for such parts where dtype is auto and the processor "
      "is fast at bf16");
  field("threads", o.threads, {0, 1024},
        "CPU threads; 0: one per core, in a small bundle one a batch");
  field("batch", o.batch, {1, 4096}, "frames encoded together");
  field("answers", o.answers, {1, 4096}, "answers decoded together by eval");
  field("verify", o.verify,
        "check of the bundle: full (every part's hash) or quick (only the self-test)");
}

}  // namespace moviechat
