#pragma once

#include <sys/resource.h>

#include <cstdint>

namespace moviechat {

/// The largest resident set of this process so far.
inline int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{1024} * usage.ru_maxrss;
}

}  // namespace moviechat
