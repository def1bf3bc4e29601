#include "plan/timeline.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/message.h"

namespace moviechat {

Timeline::Timeline(const SamplingPlan& plan, const PlanOptions& options, bool whole_film)
    : plan_(plan), options_(options), whole_film_(whole_film) {
  for (const Clip& clip : plan.clips) {
    clip_starts_.push_back(std::ssize(times_));
    for (const Sample& sample : clip.samples) times_.push_back(sample.time);
  }
  clip_starts_.push_back(std::ssize(times_));
}

Timeline::Timeline(const PlanOptions& options, bool whole_film)
    : options_(options), whole_film_(whole_film) {}

std::optional<Timeline::PlannedSample> Timeline::sample(int64_t number) const {
  if (!plan_) {
    const auto time = [&](int64_t k) { return Seconds(static_cast<double>(k) / options_.rate); };
    return PlannedSample{time(number), time(number + 1), (number + 1) % options_.window == 0};
  }
  if (number >= std::ssize(times_)) return std::nullopt;
  const auto i = static_cast<size_t>(number);
  const Seconds next = i + 1 < times_.size() ? times_[i + 1] : plan_->duration;
  const bool last = std::binary_search(clip_starts_.begin(), clip_starts_.end(), number + 1);
  return PlannedSample{times_[i], std::max(times_[i], next), last};
}

size_t Timeline::add(const Moment& moment) {
  if (!plan_ && options_.breakpoint != BreakpointRule::moment) {
    throw InputError("plan.breakpoint must be moment for a film without a known duration, got " +
                     std::string(name_of(options_.breakpoint)));
  }
  Cut cut = cut_of(moment);
  Current current{current_time(moment), moments_};
  const bool cut_passed = cut.samples < sampled_ + (cut.before_clip_end ? 1 : 0);
  if (cut_passed || current.time < reached_) {
    throw input_error("moment {} s is asked about too late: the film was watched up to {} s",
                      to_text(moment.at.count()), to_text(reached_.count()));
  }
  cut.moment = moments_;
  cut.at = moment.at;
  cuts_.insert(std::upper_bound(cuts_.begin(), cuts_.end(), cut,
                                [](const Cut& a, const Cut& b) {
                                  return std::tuple(a.samples, !a.before_clip_end) <
                                         std::tuple(b.samples, !b.before_clip_end);
                                }),
               cut);
  currents_.insert(
      std::upper_bound(currents_.begin(), currents_.end(), current,
                       [](const Current& a, const Current& b) { return a.time < b.time; }),
      current);
  return moments_++;
}

Timeline::Cut Timeline::cut_of(const Moment& moment) const {
  if (options_.breakpoint == BreakpointRule::moment) {  // after all samples before it
    if (plan_) {
      const auto later = std::find_if(times_.begin(), times_.end(),
                                      [&](Seconds time) { return time >= moment.at; });
      return {later - times_.begin()};
    }
    auto samples = static_cast<int64_t>(std::ceil(moment.at.count() * options_.rate));
    while (samples > 0 && sample(samples - 1)->time >= moment.at) --samples;
    while (sample(samples)->time < moment.at) ++samples;
    return {samples};
  }
  const int64_t clips = std::ssize(plan_->clips);
  const BreakpointCut cut =
      options_.breakpoint == BreakpointRule::inference
          ? released_cut(plan_->duration, moment.at, clips, options_.c_denominator)
          : eval_code_cut(plan_->frames, moment.frame, clips);
  const int64_t clip = std::min(cut.clips_read(), clips) - 1;
  const int64_t start = clip_starts_[static_cast<size_t>(clip)];
  const int64_t held = clip_starts_[static_cast<size_t>(clip) + 1] - start;
  const int64_t samples = std::clamp<int64_t>(cut.last_clip_frames, 0, held);
  return {start + samples, /*before_clip_end=*/samples > 0};
}

/// The frame that a moment calls current. eval_code takes frame number ⌊fps⌋, one second in,
/// whatever was asked.
Seconds Timeline::current_time(const Moment& moment) const {
  if (options_.breakpoint != BreakpointRule::eval_code) return moment.at;
  const double fps = plan_->fps.value();
  return Seconds(std::floor(fps) / fps);
}

std::optional<Step> Timeline::next() {
  if (steps_.empty() && (whole_film_ || !cuts_.empty() || !currents_.empty())) add_sample();
  if (steps_.empty()) return std::nullopt;
  const Step step = steps_.front();
  steps_.pop_front();
  if (step.needs_frame()) reached_ = step.time;
  return step;
}

int64_t Timeline::frames_to_read() const {
  if (!plan_) return 0;
  Timeline rest = *this;
  int64_t frames = 0;
  while (const auto step = rest.next()) frames += step->needs_frame() ? 1 : 0;
  return frames;
}

/// The next sample, with what comes before it and the end of its clip; after the last one the rest.
void Timeline::add_sample() {
  const std::optional<PlannedSample> planned = sample(sampled_);
  add_cuts(sampled_, false);
  add_currents(planned ? std::optional(planned->time) : std::nullopt);
  if (!planned || (!whole_film_ && cuts_.empty() && currents_.empty())) return;
  steps_.push_back({.kind = Step::Kind::sample, .time = planned->time, .end = planned->end});
  ++sampled_;
  add_cuts(sampled_, true);
  if (planned->ends_clip) steps_.push_back({.kind = Step::Kind::clip_end});
}

void Timeline::add_cuts(int64_t samples, bool before_clip_end) {
  while (!cuts_.empty() && cuts_.front().samples <= samples &&
         (!before_clip_end || cuts_.front().before_clip_end)) {
    const Cut& cut = cuts_.front();
    steps_.push_back({.kind = Step::Kind::cut, .time = cut.at, .moment = cut.moment});
    cuts_.erase(cuts_.begin());
  }
}

/// Frames are read in time order: a current frame goes before the first sample that is later.
void Timeline::add_currents(std::optional<Seconds> until) {
  while (!currents_.empty() && (!until || currents_.front().time <= *until)) {
    const auto [time, moment] = currents_.front();
    steps_.push_back({.kind = Step::Kind::current, .time = time, .end = time, .moment = moment});
    currents_.erase(currents_.begin());
  }
}

}  // namespace moviechat
