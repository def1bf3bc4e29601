#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "moviechat/error.h"

// A fuzz target is one file NAME_fuzz.cpp with libFuzzer's LLVMFuzzerTestOneInput; the folder
// corpus/NAME holds what its inputs are mutated from. It hands bytes to a reader of foreign input,
// for which only one failure is right: InputError. See driver.cpp and scripts/fuzz.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace moviechat::fuzz {

inline std::string text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Runs what may refuse its input.
template <class Read>
void try_to(Read read) {
  try {
    read();
  } catch (const InputError&) {
  }
}

/// Bytes → numbers; zeros when there are no more bytes.
class Numbers {
 public:
  Numbers(const uint8_t* data, size_t size) : rest_(text_of(data, size)) {}

  template <class Number>
  Number next() {
    Number number{};
    const size_t count = std::min(sizeof(number), rest_.size());
    std::memcpy(&number, rest_.data(), count);
    rest_.erase(0, count);
    return number;
  }

 private:
  std::string rest_;
};

}  // namespace moviechat::fuzz
