#include "moviechat/memory_options.h"

#include <string>

#include "moviechat/error.h"

namespace moviechat {

void MemoryOptions::check() const {
  check_ranges(*this, "memory.");
  if (short_capacity <= keep) {
    throw InputError("memory.short_capacity must exceed memory.keep (" + std::to_string(keep) +
                     "), got " + std::to_string(short_capacity));
  }
  if (long_capacity < keep) {
    throw InputError("memory.long_capacity must be at least memory.keep (" + std::to_string(keep) +
                     "), got " + std::to_string(long_capacity));
  }
}

}  // namespace moviechat
