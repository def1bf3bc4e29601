#pragma once

#include <chrono>
#include <cstdint>

namespace moviechat {

/// A time or a length of time in seconds. A film's time 0 is when its first frame is shown.
using Seconds = std::chrono::duration<double>;

/// A rate or a time base as containers state it: exact where a double is not (24000/1001).
struct Rational {
  int64_t num = 0;
  int64_t den = 1;

  double value() const { return static_cast<double>(num) / static_cast<double>(den); }
  bool operator==(const Rational&) const = default;
};

}  // namespace moviechat
