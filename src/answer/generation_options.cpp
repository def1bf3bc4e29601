#include "moviechat/answer/generation_options.h"

#include <string>

#include "moviechat/support/error.h"

namespace moviechat {
namespace {

template <class Number>
void require(bool holds, const char* name, const char* what, Number got) {
  if (!holds) {
    throw InputError(std::string("generation.") + name + " must be " + what + ", got " +
                     to_text(got));
  }
}

}  // namespace

void GenerationOptions::check() const {
  require(max_new_tokens >= 1, "max_new_tokens", "at least 1", max_new_tokens);
  require(temperature >= 0, "temperature", "0 or more", temperature);
  require(top_k >= 0, "top_k", "0 or more", top_k);
  require(top_p > 0 && top_p <= 1, "top_p", "over 0 and at most 1", top_p);
  require(beams >= 1 && beams <= 64, "beams", "between 1 and 64", beams);
  require(repetition_penalty > 0, "repetition_penalty", "over 0", repetition_penalty);
  require(min_new_tokens >= 0, "min_new_tokens", "0 or more", min_new_tokens);
  require(min_new_tokens <= max_new_tokens, "min_new_tokens",
          ("at most generation.max_new_tokens (" + to_text(max_new_tokens) + ")").c_str(),
          min_new_tokens);
  require(seed >= 0, "seed", "0 or more", seed);
}

}  // namespace moviechat
