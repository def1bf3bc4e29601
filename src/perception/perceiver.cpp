#include "perception/perceiver.h"

#include <chrono>

#include "base/stage_costs.h"

namespace moviechat {

Perceiver::Perceiver(FrameSource& source, Timeline& timeline, const PerceiverOptions& options,
                     StageCosts& costs)
    : source_(source),
      timeline_(timeline),
      options_(options),
      costs_(costs),
      encoders_(options.encoders) {}

std::optional<Perceiver::Perception> Perceiver::next() {
  while (ready_.empty()) {
    if (!ended_) {
      read_on();
    } else if (!encoding_.empty()) {
      take_back();
    } else {
      return std::nullopt;
    }
  }
  Perception perception = std::move(ready_.front());
  ready_.pop_front();
  return perception;
}

void Perceiver::read_on() {
  if (options_.cancel != nullptr) options_.cancel->check();
  if (options_.between_frames) options_.between_frames();
  const bool live = source_.info().open_ended();
  std::optional<Step> step = timeline_.next();
  if (step && step->needs_frame() && !fetch(*step)) {
    if (!live) return;  // the film ends earlier than it should; its last samples are left out
    filling_.pending.push_back({{.kind = Step::Kind::clip_end}});
    step.reset();
  }
  ended_ = !step;
  if (step) {
    filling_.pending.push_back({*step, step->needs_frame() ? newest_.slot : 0});
    if (step->needs_frame() && options_.progress) {
      options_.progress({"watching", ++frames_read_, options_.frames_to_read, "frames"});
    }
  }
  const bool wanted_now = live && step && step->kind == Step::Kind::current;
  if (ended_ || wanted_now) hand_over();
  while (wanted_now && !encoding_.empty()) take_back();
}

/// Brings the step's frame into the batch unless it is the newest one already; false when it is
/// beyond the real end.
bool Perceiver::fetch(const Step& step) {
  const Shown shown = [&] {
    const Stopwatch stopwatch(costs_, "decode");
    return source_.shown_at(step.time);
  }();
  newest_.end = shown.end;
  if (is_beyond(shown, step)) return false;
  if (newest_.pts == shown.pts) return true;
  if (filling_.used == options_.batch) hand_over();
  if (!filling_.slots.defined()) filling_.slots = source_.make_batch(options_.batch);
  {
    const Stopwatch stopwatch(costs_, "decode");
    source_.load(step.time, filling_.slots[filling_.used]);
  }
  newest_.pts = shown.pts;
  newest_.slot = filling_.used++;
  return true;
}

bool Perceiver::is_beyond(const Shown& shown, const Step& step) const {
  const bool sample = step.kind == Step::Kind::sample;
  if (source_.info().open_ended()) {
    return sample ? step.time >= shown.end : step.time > shown.end;
  }
  return sample && is_beyond_end(source_.info(), step.time, shown);
}

/// The batch that was filled is encoded from now on. The next is a new one, or that which has been
/// encoded for longest when there are enough.
void Perceiver::hand_over() {
  if (filling_.used > 0) {
    const torch::Tensor slots = filling_.slots.slice(0, 0, filling_.used);
    filling_.encoded = encoders_.run([this, slots] { return encode(slots); });
    frames_encoded_ += filling_.used;
    newest_.slot = kPrevious;
  }
  encoding_.push_back(std::move(filling_));
  filling_ = {};
  if (std::ssize(encoding_) <= options_.encoders) return;
  filling_.slots = encoding_.front().slots;
  take_back();
}

/// On an encoder's thread.
Perceiver::Encoded Perceiver::encode(const torch::Tensor& slots) const {
  const auto begin = std::chrono::steady_clock::now();
  torch::Tensor blocks = source_.encode(slots);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  return {std::move(blocks), spent.count()};
}

/// Waits for the blocks of the batch that has been encoded for longest.
void Perceiver::take_back() {
  Batch batch = std::move(encoding_.front());
  encoding_.pop_front();
  torch::Tensor blocks;
  if (batch.used > 0) {
    Encoded encoded = batch.encoded.get();
    blocks = std::move(encoded.blocks);
    costs_.add_part("encode", encoded.seconds);
  }
  for (const Pending& pending : batch.pending) {
    // A view would keep the whole batch alive for as long as its block is in memory.
    torch::Tensor block;
    if (pending.step.needs_frame()) {
      block = pending.slot == kPrevious ? newest_.previous : blocks[pending.slot].clone();
    }
    ready_.push_back({pending.step, {block, {}}});
  }
  if (batch.used > 0) newest_.previous = blocks[batch.used - 1].clone();
}

}  // namespace moviechat
