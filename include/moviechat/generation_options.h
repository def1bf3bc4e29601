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
        "0 takes the likeliest token, 1 draws by probability");
  field("top_k", o.top_k, {0, 1'000'000}, "draw among this many likeliest tokens; 0 among all");
  field("top_p", o.top_p, {0, 1, false},
        "draw among the likeliest tokens that reach this probability; 1 all");
  field("beams", o.beams, {1, 64}, "answers followed side by side; 1 is no beam search");
  field("repetition_penalty", o.repetition_penalty, {0, 1000, false},
        "over 1 makes repeated tokens less likely");
  field("length_penalty", o.length_penalty, {-100, 100}, "beams: over 0 favours longer answers");
  field("min_new_tokens", o.min_new_tokens, {0, 1'000'000}, "shortest answer, in tokens");
  field("seed", o.seed, {0}, "of the draws; the same seed gives the same answer");
}

}  // namespace moviechat
