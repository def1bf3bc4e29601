#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "moviechat/sampling_plan.h"
#include "moviechat/time.h"

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
    cut,       // memory as it is now, its clip ended here, is that of `moment`, which is at `time`
    current,   // the frame at `time` is the one on screen at `moment`
  };
  Kind kind = Kind::sample;
  Seconds time{0};
  Seconds end{0};
  size_t moment = 0;

  bool needs_frame() const { return kind == Kind::sample || kind == Kind::current; }
  bool operator==(const Step&) const = default;
};

/// A sampling plan and moments → the steps of one pass over the film, frames in time order. Each
/// moment has one cut and one current. Without `whole_film` the pass ends when the last moment has
/// what it needs. One thread at a time.
class Timeline {
 public:
  Timeline(const SamplingPlan& plan, const PlanOptions& options, bool whole_film);

  /// Of plan fps:R for a film whose end is not known: samples as long as they are asked for.
  Timeline(const PlanOptions& options, bool whole_film);

  /// A moment's number, counted from 0. Moments may join while the film runs, as long as the frames
  /// they need are still to come. InputError for one that comes too late, and for a rule of
  /// breakpoints that needs the end of a film without one.
  size_t add(const Moment& moment);

  /// Time of the last frame that was asked for; negative: none yet.
  Seconds reached() const { return reached_; }

  /// nullopt at the end.
  std::optional<Step> next();

  /// Steps to come that need a frame; 0: unknown, of a film without an end.
  int64_t frames_to_read() const;

 private:
  /// A frame that joins memory.
  struct PlannedSample {
    Seconds time{0};
    Seconds end{0};
    bool ends_clip = false;
  };
  /// Memory ends after so many samples, before or after the end of their clip.
  struct Cut {
    int64_t samples = 0;
    bool before_clip_end = false;
    size_t moment = 0;
    Seconds at{0};
  };
  struct Current {
    Seconds time{0};
    size_t moment = 0;
  };

  std::optional<PlannedSample> sample(int64_t number) const;
  Cut cut_of(const Moment& moment) const;
  Seconds current_time(const Moment& moment) const;
  void add_cuts(int64_t samples, bool before_clip_end);
  void add_currents(std::optional<Seconds> until);
  void add_sample();

  std::optional<SamplingPlan> plan_;
  PlanOptions options_;
  bool whole_film_;
  std::vector<Seconds> times_;        // of the plan's samples
  std::vector<int64_t> clip_starts_;  // samples before each clip, and in all
  int64_t sampled_ = 0;
  size_t moments_ = 0;
  Seconds reached_{-1};
  std::vector<Cut> cuts_;          // to come, in their order
  std::vector<Current> currents_;  // to come, in their order
  std::deque<Step> steps_;
};

}  // namespace moviechat
