#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "moviechat/features/footage.h"
#include "moviechat/memory/memory.h"
#include "moviechat/support/callbacks.h"
#include "moviechat/support/stage_costs.h"
#include "schedule.h"

namespace moviechat {

/// Is given the memory of a moment as soon as it is known, and of the whole film (nullopt) at its
/// end.
using ViewSink = std::function<void(std::optional<size_t> moment, const MemoryView& view)>;

struct WatchOptions {
  MemoryOptions memory;
  int64_t positions = 256;     // most blocks of a view
  int64_t batch = 16;          // frames encoded together
  int64_t encoders = 1;        // batches encoded side by side, a thread each
  bool whole_film = true;      // the view of the whole film is wanted
  int64_t frames_to_read = 0;  // for progress; 0: unknown
};

struct WatchResult {
  Seconds seen{0};  // end of the last frame that was read
  int64_t frames_encoded = 0;
  int64_t blocks_long = 0;
  int64_t blocks_short = 0;
};

/// Steps over a film → views of its memory, in one pass: every frame is read and encoded at most
/// once; a batch is decoded while those before are encoded. A film without a known end is watched
/// until it ends or there are no more steps. Holds a batch more than are encoded at a time, one
/// memory, and for each moment a memory whose current frame has not come yet.
WatchResult watch(Footage& footage, const StepSource& steps, size_t moments,
                  const WatchOptions& options, const ViewSink& sink, const ProgressSink& progress,
                  const CancelFlag* cancel, StageCosts& costs);

}  // namespace moviechat
