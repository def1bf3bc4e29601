#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "moviechat/support/seconds.h"
#include "moviechat/video/sampling_plan.h"

namespace moviechat {

/// A moment that questions are asked about.
struct Moment {
  Seconds at{0};
  int64_t frame = 0;  // the nominal frame on screen then
};

/// One thing that happens while a film is watched, in this order.
struct Step {
  enum class Kind {
    sample,    // the frame at `time` joins memory; it stands for [time, end)
    clip_end,  // the samples since the last clip_end were one clip
    cut,       // memory as it is now, its clip ended here, is the memory of `moment`
    current,   // the frame at `time` is the one on screen at `moment`
  };
  Kind kind = Kind::sample;
  Seconds time{0};
  Seconds end{0};
  size_t moment = 0;

  bool needs_frame() const { return kind == Kind::sample || kind == Kind::current; }
};

/// A plan and moments → the steps of one pass over the film, frames in time order. Each moment has
/// one cut and one current. Without `whole_film` the pass ends when the last moment has what it
/// needs.
std::vector<Step> schedule(const SamplingPlan& plan, const std::vector<Moment>& moments,
                           const PlanOptions& options, bool whole_film);

}  // namespace moviechat
