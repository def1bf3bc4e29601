#include "moviechat/options.h"

#include "base/message.h"

namespace moviechat {

void MemoryOptions::check() const {
  check_ranges(*this, "memory.");
  if (short_capacity <= keep) {
    throw input_error("memory.short_capacity must exceed memory.keep ({}), got {}", keep,
                      short_capacity);
  }
  if (long_capacity < keep) {
    throw input_error("memory.long_capacity must be at least memory.keep ({}), got {}", keep,
                      long_capacity);
  }
}

}  // namespace moviechat
