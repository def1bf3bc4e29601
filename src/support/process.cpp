#include "moviechat/support/process.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace moviechat {

MemoryUse resident_memory() {
  MemoryUse use;
  std::ifstream status("/proc/self/status");
  std::string key;
  for (int64_t kib = 0; status >> key; status.ignore(1 << 12, '\n')) {
    if (key == "VmHWM:" && status >> kib) use.peak = kib * 1024;
    if (key == "VmRSS:" && status >> kib) use.now = kib * 1024;
  }
  return use;
}

std::optional<int64_t> address_space_left() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  int64_t taken = 0;
  std::ifstream status("/proc/self/status");
  std::string key;
  for (int64_t kib = 0; status >> key; status.ignore(1 << 12, '\n')) {
    if (key == "VmSize:" && status >> kib) taken = kib * 1024;
  }
  return static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, INT64_MAX)) - taken;
}

}  // namespace moviechat
