#pragma once

#include <cstdint>

#include "moviechat/fields.h"

namespace moviechat {

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

}  // namespace moviechat
