#include "schedule.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <numeric>

#include "moviechat/support/error.h"

namespace moviechat {
namespace {

/// Where a moment's memory ends: after `samples` samples of clip `clip`.
struct CutPlace {
  size_t clip = 0;
  size_t samples = 0;
};

CutPlace after_all_samples_before(const SamplingPlan& plan, Seconds moment) {
  CutPlace place;
  for (const Clip& clip : plan.clips) {
    const auto later = std::find_if(clip.samples.begin(), clip.samples.end(),
                                    [&](const Sample& sample) { return sample.time >= moment; });
    place.samples = static_cast<size_t>(later - clip.samples.begin());
    if (later != clip.samples.end()) return place;
    ++place.clip;
  }
  return place;  // {number of clips, …}: after the last sample
}

CutPlace cut_place(const SamplingPlan& plan, const Moment& moment, const PlanOptions& options) {
  if (options.breakpoint == BreakpointRule::moment) {
    return after_all_samples_before(plan, moment.at);
  }
  const auto clips = static_cast<int64_t>(plan.clips.size());
  const BreakpointCut cut =
      options.breakpoint == BreakpointRule::inference
          ? released_cut(plan.duration, moment.at, clips, options.c_denominator)
          : eval_code_cut(plan.frames, moment.frame, clips);
  const auto clip = static_cast<size_t>(std::min(cut.clips_read(), clips) - 1);
  const size_t available = plan.clips[clip].samples.size();
  return {clip,
          std::min(available, static_cast<size_t>(std::max<int64_t>(0, cut.last_clip_frames)))};
}

/// The frame that a moment calls current. eval_code takes frame number ⌊fps⌋, one second in,
/// whatever was asked.
Seconds current_time(const SamplingPlan& plan, const Moment& moment, const PlanOptions& options) {
  if (options.breakpoint != BreakpointRule::eval_code) return moment.at;
  const double fps = plan.fps.value();
  return Seconds(std::floor(fps) / fps);
}

/// Adds the clips' samples with their ends, and every cut at its place.
class Scheduler {
 public:
  Scheduler(const SamplingPlan& plan, const std::vector<Moment>& moments,
            const PlanOptions& options)
      : plan_(plan), moments_(moments), options_(options) {
    for (const Moment& moment : moments) places_.push_back(cut_place(plan, moment, options));
    for (const Clip& clip : plan.clips) {
      for (const Sample& sample : clip.samples) times_.push_back(sample.time);
    }
  }

  std::vector<Step> steps() {
    for (size_t clip = 0; clip < plan_.clips.size(); ++clip) {
      add_cuts(clip, 0);
      for (size_t j = 0; j < plan_.clips[clip].samples.size(); ++j) {
        add_sample(plan_.clips[clip].samples[j]);
        add_cuts(clip, j + 1);
      }
      steps_.push_back({.kind = Step::Kind::clip_end});
    }
    for (size_t m = 0; m < places_.size(); ++m) {
      if (places_[m].clip >= plan_.clips.size()) add_cut(m);
    }
    add_currents();
    return std::move(steps_);
  }

 private:
  void add_sample(const Sample& sample) {
    ++sampled_;
    const Seconds next = sampled_ < times_.size() ? times_[sampled_] : plan_.duration;
    steps_.push_back(
        {.kind = Step::Kind::sample, .time = sample.time, .end = std::max(sample.time, next)});
  }
  void add_cuts(size_t clip, size_t samples) {
    for (size_t m = 0; m < places_.size(); ++m) {
      if (places_[m].clip == clip && places_[m].samples == samples) add_cut(m);
    }
  }
  void add_cut(size_t moment) { steps_.push_back({.kind = Step::Kind::cut, .moment = moment}); }
  /// Frames are read in time order: a current frame goes before the first sample that is later.
  void add_currents() {
    std::vector<size_t> order(moments_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return current_time(plan_, moments_[a], options_) <
             current_time(plan_, moments_[b], options_);
    });
    std::vector<Step> merged;
    merged.reserve(steps_.size() + order.size());
    auto next = order.begin();
    const auto add_until = [&](const Seconds* limit) {
      for (; next != order.end(); ++next) {
        const Seconds time = current_time(plan_, moments_[*next], options_);
        if (limit != nullptr && time > *limit) return;
        merged.push_back({.kind = Step::Kind::current, .time = time, .end = time, .moment = *next});
      }
    };
    for (const Step& step : steps_) {
      if (step.kind == Step::Kind::sample) add_until(&step.time);
      merged.push_back(step);
    }
    add_until(nullptr);
    steps_ = std::move(merged);
  }

  const SamplingPlan& plan_;
  const std::vector<Moment>& moments_;
  const PlanOptions& options_;
  std::vector<CutPlace> places_;
  std::vector<Seconds> times_;
  std::vector<Step> steps_;
  size_t sampled_ = 0;
};

/// Samples k/R, each after the cuts and current frames that come before it.
class OpenEndedScheduler {
 public:
  OpenEndedScheduler(const PlanOptions& options, std::vector<Moment> moments, bool whole_film)
      : options_(options),
        moments_(std::move(moments)),
        order_(moments_.size()),
        whole_film_(whole_film) {
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](size_t a, size_t b) { return moments_[a].at < moments_[b].at; });
  }

  std::optional<Step> next() {
    if (steps_.empty()) add_sample();
    if (steps_.empty()) return std::nullopt;
    const Step step = steps_.front();
    steps_.pop_front();
    return step;
  }

 private:
  Seconds time_of(int64_t sample) const {
    return Seconds(static_cast<double>(sample) / options_.rate);
  }
  void add_sample() {
    const Seconds time = time_of(sample_);
    for (; shown_ < order_.size() && moments_[order_[shown_]].at <= time; ++shown_) {
      const size_t moment = order_[shown_];
      const Seconds at = moments_[moment].at;
      steps_.push_back({.kind = Step::Kind::cut, .moment = moment});
      steps_.push_back({.kind = Step::Kind::current, .time = at, .end = at, .moment = moment});
    }
    if (shown_ == order_.size() && !whole_film_) return;
    steps_.push_back({.kind = Step::Kind::sample, .time = time, .end = time_of(++sample_)});
    if (sample_ % options_.window == 0) steps_.push_back({.kind = Step::Kind::clip_end});
  }

  PlanOptions options_;
  std::vector<Moment> moments_;
  std::vector<size_t> order_;  // of the moments in time
  bool whole_film_;
  std::deque<Step> steps_;
  size_t shown_ = 0;
  int64_t sample_ = 0;
};

}  // namespace

std::vector<Step> schedule(const SamplingPlan& plan, const std::vector<Moment>& moments,
                           const PlanOptions& options, bool whole_film) {
  std::vector<Step> steps = Scheduler(plan, moments, options).steps();
  if (!whole_film) {
    const auto last = std::find_if(steps.rbegin(), steps.rend(), [](const Step& step) {
      return step.kind == Step::Kind::cut || step.kind == Step::Kind::current;
    });
    steps.erase(last.base(), steps.end());
  }
  return steps;
}

StepSource in_order(std::vector<Step> steps) {
  return [steps = std::move(steps), next = size_t{0}]() mutable -> std::optional<Step> {
    return next < steps.size() ? std::optional(steps[next++]) : std::nullopt;
  };
}

StepSource open_ended_schedule(const PlanOptions& options, std::vector<Moment> moments,
                               bool whole_film) {
  if (!moments.empty() && options.breakpoint != BreakpointRule::moment) {
    throw InputError("plan.breakpoint must be moment for a film without a known duration, got " +
                     std::string(name_of(options.breakpoint)));
  }
  const auto scheduler =
      std::make_shared<OpenEndedScheduler>(options, std::move(moments), whole_film);
  return [scheduler] { return scheduler->next(); };
}

}  // namespace moviechat
