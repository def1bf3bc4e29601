#include "watch.h"

#include <algorithm>
#include <chrono>
#include <deque>

#include "moviechat/support/error.h"
#include "moviechat/support/workers.h"

namespace moviechat {
namespace {

/// Frames are decoded into one batch while others are encoded. Everything but the encoding happens
/// on the caller's thread.
class Watcher {
 public:
  Watcher(Footage& footage, size_t moments, const WatchOptions& options, const ViewSink& sink,
          StageCosts& costs)
      : footage_(footage),
        options_(options),
        sink_(sink),
        costs_(costs),
        memory_(options.memory),
        cuts_(moments),
        currents_(moments),
        encoders_(options.encoders) {}

  /// False when the step's frame is beyond the real end of the film; the step is left out then.
  bool take(const Step& step) {
    if (step.needs_frame() && !fetch(step)) return false;
    if (step.kind == Step::Kind::sample && options_.whole_film) {
      check_fits(options_.memory, ++samples_, options_.positions);
    }
    filling_.pending.push_back({step, step.needs_frame() ? newest_ : 0});
    return true;
  }

  WatchResult finish() {
    hand_over();
    while (!encoding_.empty()) remember(take_back());
    result_.blocks_long = memory_.long_size();
    result_.blocks_short = memory_.short_size();
    if (options_.whole_film) {
      MemoryView view;
      {
        const Stopwatch stopwatch(costs_, "memory");
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

  struct Encoded {
    torch::Tensor blocks;  // [used, N, C]
    double seconds = 0;
  };
  struct Batch {
    torch::Tensor slots;  // undefined until the first frame comes
    int64_t used = 0;     // slots that hold a frame
    std::vector<Pending> pending;
    std::future<Encoded> encoded;  // of the slots in use, if there are any
  };

  /// Brings the step's frame into the batch unless it is the newest one already; false when it is
  /// beyond the real end.
  bool fetch(const Step& step) {
    const Shown shown = [&] {
      const Stopwatch stopwatch(costs_, "decode");
      return footage_.shown_at(step.time);
    }();
    result_.seen = shown.end;
    if (is_beyond(shown, step)) return false;
    if (newest_pts_ == shown.pts) return true;
    if (filling_.used == options_.batch) hand_over();
    if (!filling_.slots.defined()) filling_.slots = footage_.make_batch(options_.batch);
    {
      const Stopwatch stopwatch(costs_, "decode");
      footage_.load(step.time, filling_.slots[filling_.used]);
    }
    newest_pts_ = shown.pts;
    newest_ = filling_.used++;
    return true;
  }

  bool is_beyond(const Shown& shown, const Step& step) const {
    const bool sample = step.kind == Step::Kind::sample;
    if (footage_.info().open_ended()) {
      return sample ? step.time >= shown.end : step.time > shown.end;
    }
    return sample && is_beyond_end(footage_.info(), step.time, shown);
  }

  /// The batch that was filled is encoded from now on. The next is a new one, or that which has
  /// been encoded for longest when there are enough.
  void hand_over() {
    if (filling_.used > 0) {
      const torch::Tensor slots = filling_.slots.slice(0, 0, filling_.used);
      filling_.encoded = encoders_.run([this, slots] { return encode(slots); });
      result_.frames_encoded += filling_.used;
      newest_ = kPrevious;
    }
    encoding_.push_back(std::move(filling_));
    filling_ = {};
    if (std::ssize(encoding_) <= options_.encoders) return;
    Batch batch = take_back();
    filling_.slots = batch.slots;
    remember(std::move(batch));
  }

  /// On an encoder's thread.
  Encoded encode(const torch::Tensor& slots) const {
    const auto begin = std::chrono::steady_clock::now();
    torch::Tensor blocks = footage_.encode(slots);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    return {std::move(blocks), spent.count()};
  }

  Batch take_back() {
    Batch batch = std::move(encoding_.front());
    encoding_.pop_front();
    return batch;
  }

  /// Waits for a batch's blocks and has its steps go into memory.
  void remember(Batch batch) {
    torch::Tensor blocks;
    if (batch.used > 0) {
      Encoded encoded = batch.encoded.get();
      blocks = std::move(encoded.blocks);
      costs_.add_part("encode", encoded.seconds);
    }
    for (const Pending& pending : batch.pending) {
      // A view would keep the whole batch alive for as long as its block is in memory.
      torch::Tensor features;
      if (pending.step.needs_frame()) {
        features = pending.slot == kPrevious ? previous_ : blocks[pending.slot].clone();
      }
      apply(pending.step, features);
    }
    if (batch.used > 0) previous_ = blocks[batch.used - 1].clone();
  }

  void apply(const Step& step, const torch::Tensor& features) {
    const Block block{features, step.time, step.end, 1};
    switch (step.kind) {
      case Step::Kind::sample: {
        const Stopwatch stopwatch(costs_, "memory");
        memory_.add(block);
        break;
      }
      case Step::Kind::clip_end: {
        const Stopwatch stopwatch(costs_, "memory");
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
  StageCosts& costs_;
  MemoryBuilder memory_;
  std::vector<std::optional<MemoryBuilder>> cuts_;
  std::vector<std::optional<Block>> currents_;
  Batch filling_;
  std::deque<Batch> encoding_;  // the longest first
  int64_t samples_ = 0;
  int64_t newest_ = kPrevious;  // the newest frame's slot, in the batch that is filled
  std::optional<int64_t> newest_pts_;
  torch::Tensor previous_;  // [N, C]
  WatchResult result_;
  Workers encoders_;  // last: they use what is above
};

}  // namespace

WatchResult watch(Footage& footage, const StepSource& steps, size_t moments,
                  const WatchOptions& options, const ViewSink& sink, const ProgressSink& progress,
                  const CancelFlag* cancel, StageCosts& costs) {
  int64_t done = 0;
  bool ended = false;
  Watcher watcher(footage, moments, options, sink, costs);
  while (const std::optional<Step> step = steps()) {
    if (cancel != nullptr) cancel->check();
    ended = !watcher.take(*step) && footage.info().open_ended();
    if (ended) break;
    if (step->needs_frame() && progress) {
      progress({"watching", ++done, options.frames_to_read, "frames"});
    }
  }
  if (ended) watcher.take({.kind = Step::Kind::clip_end});
  return watcher.finish();
}

}  // namespace moviechat
