#include "moviechat/support/process.h"

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

}  // namespace moviechat
