#include "moviechat/options.h"

#include <string>

#include "moviechat/error.h"

namespace moviechat {

void GenerationOptions::check() const {
  check_ranges(*this, "generation.");
  if (min_new_tokens > max_new_tokens) {
    throw InputError("generation.min_new_tokens must be at most generation.max_new_tokens (" +
                     to_text(max_new_tokens) + "), got " + to_text(min_new_tokens));
  }
}

}  // namespace moviechat
