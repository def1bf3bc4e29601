#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace moviechat {

/// Bytes held now, and the most that were held at a time so far.
struct MemoryUse {
  int64_t now = 0;
  int64_t peak = 0;
};

/// Wall time and peak memory of one stage. Memory is the whole process's: the most at the end of
/// the stage's parts, or at any time in a part that set a new record; nullopt where it was not
/// looked at.
struct StageCost {
  std::string stage;
  double seconds = 0;
  std::optional<int64_t> peak_host_bytes;
  std::optional<int64_t> peak_device_bytes;
};

}  // namespace moviechat
