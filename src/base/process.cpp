#include "base/process.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace moviechat {
namespace {

/// A field of /proc/self/status, in bytes; 0 where the system does not tell.
int64_t status_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string key;
  for (int64_t kib = 0; status >> key; status.ignore(1 << 12, '\n')) {
    if (key == name && status >> kib) return kib * 1024;
  }
  return 0;
}

}  // namespace

MemoryUse resident_memory() {
  return {.now = status_bytes("VmRSS:"), .peak = status_bytes("VmHWM:")};
}

std::optional<int64_t> address_space_left() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, INT64_MAX)) -
         status_bytes("VmSize:");
}

}  // namespace moviechat
