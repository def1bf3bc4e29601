#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "moviechat/fields.h"

namespace moviechat {

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
