#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
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

/// Steps in their order, one by one; nullopt at the end.
using StepSource = std::function<std::optional<Step>()>;

StepSource in_order(std::vector<Step> steps);

/// A plan and moments → the steps of one pass over the film, frames in time order. Each moment has
/// one cut and one current. Without `whole_film` the pass ends when the last moment has what it
/// needs.
std::vector<Step> schedule(const SamplingPlan& plan, const std::vector<Moment>& moments,
                           const PlanOptions& options, bool whole_film);

/// The same of plan fps:R for a film whose end is not known: samples as long as they are asked for.
/// InputError for a rule of breakpoints that needs the end.
StepSource open_ended_schedule(const PlanOptions& options, std::vector<Moment> moments,
                               bool whole_film);

}  // namespace moviechat
