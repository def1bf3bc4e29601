// The address of a judge.

#include "fuzz/fuzz.h"
#include "judge/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moviechat;
  fuzz::try_to([&] { judge::endpoint_address(fuzz::text_of(data, size)); });
  return 0;
}
