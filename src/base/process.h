#pragma once

#include <cstdint>
#include <optional>

#include "moviechat/costs.h"

namespace moviechat {

/// The resident set of this process; zeros where the system does not tell. Not what getrusage()
/// says, which counts the parent's memory from before the program was started.
MemoryUse resident_memory();

/// Bytes of address space that may still be taken (RLIMIT_AS, ulimit -v); nullopt: no limit.
std::optional<int64_t> address_space_left();

}  // namespace moviechat
