#include "watch.h"

#include <algorithm>

#include "moviechat/support/error.h"

namespace moviechat {
namespace {

/// A sample this much after the last frame's end is not in the file: the header promised more than
/// there is.
Seconds tolerated_overshoot(const VideoInfo& video) {
  return std::max(Seconds(1), 0.02 * video.duration);
}

class Watcher {
 public:
  Watcher(Footage& footage, size_t moments, const WatchOptions& options, const ViewSink& sink,
          Timings& timings)
      : footage_(footage),
        options_(options),
        sink_(sink),
        timings_(timings),
        memory_(options.memory),
        cuts_(moments),
        currents_(moments) {}

  void take(const Step& step) {
    if (!step.needs_frame()) {
      pending_.push_back({step, 0});
      return;
    }
    if (!fetch(step)) return;
    pending_.push_back({step, newest_});
  }

  WatchResult finish() {
    flush();
    result_.blocks_long = memory_.long_size();
    result_.blocks_short = memory_.short_size();
    if (options_.whole_film) {
      MemoryView view;
      {
        const Stopwatch stopwatch(timings_, "memory");
        view = memory_.global(options_.positions);
        result_.blocks_long = view.long_blocks;
      }
      sink_(std::nullopt, view);
    }
    return result_;
  }

 private:
  /// A step and the frame that it needs: a slot of the batch, or kPrevious.
  struct Pending {
    Step step;
    int64_t slot = 0;
  };
  static constexpr int64_t kPrevious = -1;  // the last frame of the batch before

  /// Brings the step's frame into the batch unless it is the newest one already; false when it is
  /// beyond the real end.
  bool fetch(const Step& step) {
    const Shown shown = [&] {
      const Stopwatch stopwatch(timings_, "decode");
      return footage_.shown_at(step.time);
    }();
    if (step.kind == Step::Kind::sample &&
        step.time - shown.end > tolerated_overshoot(footage_.info())) {
      return false;
    }
    if (newest_pts_ == shown.pts) return true;
    if (used_ == options_.batch) flush();
    {
      const Stopwatch stopwatch(timings_, "decode");
      footage_.load(step.time, used_);
    }
    newest_pts_ = shown.pts;
    newest_ = used_++;
    return true;
  }

  void flush() {
    std::vector<torch::Tensor> blocks;
    if (used_ > 0) {
      const Stopwatch stopwatch(timings_, "encode");
      blocks = footage_.encode(used_).unbind();
      result_.frames_encoded += used_;
    }
    for (const Pending& pending : pending_) {
      // A view would keep the whole batch alive for as long as its block is in memory.
      torch::Tensor features;
      if (pending.step.needs_frame()) {
        features = pending.slot == kPrevious ? previous_
                                             : blocks[static_cast<size_t>(pending.slot)].clone();
      }
      apply(pending.step, features);
    }
    pending_.clear();
    if (used_ > 0) {
      previous_ = blocks[static_cast<size_t>(used_ - 1)].clone();
      used_ = 0;
      newest_ = kPrevious;
    }
  }

  void apply(const Step& step, const torch::Tensor& features) {
    const Block block{features, step.time, step.end, 1};
    switch (step.kind) {
      case Step::Kind::sample: {
        const Stopwatch stopwatch(timings_, "memory");
        memory_.add(block);
        break;
      }
      case Step::Kind::clip_end: {
        const Stopwatch stopwatch(timings_, "memory");
        memory_.end_clip();
        break;
      }
      case Step::Kind::cut:
        cuts_[step.moment].emplace(memory_).end_clip();
        show_when_complete(step.moment);
        break;
      case Step::Kind::current:
        currents_[step.moment] = block;
        show_when_complete(step.moment);
        break;
    }
  }

  void show_when_complete(size_t moment) {
    auto& cut = cuts_[moment];
    auto& current = currents_[moment];
    if (!cut || !current) return;
    sink_(moment, cut->at_moment(*current, options_.positions));
    cut.reset();
    current.reset();
  }

  Footage& footage_;
  const WatchOptions& options_;
  const ViewSink& sink_;
  Timings& timings_;
  MemoryBuilder memory_;
  std::vector<std::optional<MemoryBuilder>> cuts_;
  std::vector<std::optional<Block>> currents_;
  std::vector<Pending> pending_;
  int64_t used_ = 0;            // slots of the batch that hold a frame
  int64_t newest_ = kPrevious;  // the slot of the newest frame
  std::optional<int64_t> newest_pts_;
  torch::Tensor previous_;  // [N, C]
  WatchResult result_;
};

}  // namespace

WatchResult watch(Footage& footage, const std::vector<Step>& steps, size_t moments,
                  const WatchOptions& options, const ViewSink& sink, const ProgressSink& progress,
                  const CancelFlag* cancel, Timings& timings) {
  const auto frames = std::count_if(steps.begin(), steps.end(),
                                    [](const Step& step) { return step.needs_frame(); });
  int64_t done = 0;
  Watcher watcher(footage, moments, options, sink, timings);
  for (const Step& step : steps) {
    if (cancel != nullptr) cancel->check();
    watcher.take(step);
    if (step.needs_frame() && progress) progress({"watching", ++done, frames, "frames"});
  }
  return watcher.finish();
}

}  // namespace moviechat
