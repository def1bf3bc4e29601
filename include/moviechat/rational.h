#pragma once

#include <cstdint>

namespace moviechat {

/// A rate or a time base as containers state it: exact where a double is not (24000/1001).
struct Rational {
  int64_t num = 0;
  int64_t den = 1;

  double value() const { return static_cast<double>(num) / static_cast<double>(den); }
  bool operator==(const Rational&) const = default;
};

}  // namespace moviechat
