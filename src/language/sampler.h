#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "moviechat/options.h"

namespace moviechat {

/// Numbers in [0, 1), the same for the same seed on every platform (the standard fixes
/// mt19937_64's output, but not that of its distributions).
class Random {
 public:
  explicit Random(int64_t seed) : engine_(static_cast<uint64_t>(seed)) {}
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }

 private:
  std::mt19937_64 engine_;
};

/// A token that may be drawn.
struct Candidate {
  int64_t id = 0;
  float score = 0;         // logit over temperature
  double probability = 0;  // among the candidates
};

/// Logits → the next token: the likeliest, or a draw after temperature, then top-k, then top-p, the
/// order of transformers. Keeps its buffer. One thread at a time.
class Sampler {
 public:
  /// At least `least` candidates are kept (beam search needs two of each beam).
  explicit Sampler(const GenerationOptions& options, int64_t least = 1)
      : options_(options), least_(least) {}

  /// Error when no logit is a number: the model is broken.
  int64_t choose(std::span<const float> logits, Random& random);

  /// The tokens that a draw chooses from, likeliest first. Valid until the next call.
  std::span<const Candidate> candidates(std::span<const float> logits);

 private:
  void keep_top_k();
  void keep_top_p();
  void set_probabilities();

  GenerationOptions options_;
  int64_t least_;
  std::vector<Candidate> candidates_;
};

/// The largest logit's token, the first of equals. Error when there is none.
int64_t likeliest(std::span<const float> logits);

}  // namespace moviechat
