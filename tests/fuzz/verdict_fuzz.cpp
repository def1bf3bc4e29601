// A judge's reply.

#include "fuzz/fuzz.h"
#include "judge/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moviechat;
  const auto verdict = judge::parse_verdict(fuzz::text_of(data, size));
  if (verdict && !(verdict->score >= 0 && verdict->score <= 5)) {
    throw Error("a verdict's score is " + std::to_string(verdict->score));
  }
  return 0;
}
