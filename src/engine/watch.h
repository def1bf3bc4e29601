#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/stage_costs.h"
#include "memory/memory_policy.h"
#include "perception/perceiver.h"
#include "plan/timeline.h"

namespace moviechat {

/// Is given the memory of a moment as soon as it is complete, and of the whole film (nullopt) at
/// its end.
using MemorySink = std::function<void(std::optional<size_t> moment, const MemoryView& memory)>;

struct WatchOptions {
  MemoryOptions memory;
  int64_t positions = 256;  // most blocks of a view
  bool whole_film = true;   // the memory of the whole film is wanted
};

struct WatchResult {
  int64_t blocks_long = 0;
  int64_t blocks_short = 0;
};

/// Perceived frames → memories, in one pass. Holds one memory, and for each moment its blocks until
/// the frame on screen has come.
WatchResult watch(Perceiver& perceiver, const WatchOptions& options, const MemorySink& ready,
                  StageCosts& costs);

}  // namespace moviechat
