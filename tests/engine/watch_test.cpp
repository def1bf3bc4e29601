#include "engine/watch.h"
#include "base/stage_costs.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "moviechat/error.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

constexpr int64_t kFrames = 100;
constexpr int64_t kBroken = 77;

/// One frame a second, whose block is its index; encoding takes a time of its own.
class Counting : public FrameSource {
 public:
  explicit Counting(bool breaks = false) : breaks_(breaks) {
    info_.path = "counting";
    info_.fps = {1, 1};
    info_.frames = kFrames;
    info_.duration = Seconds(kFrames);
  }
  const VideoInfo& info() const override { return info_; }
  std::vector<std::optional<Seconds>> times_of(const std::vector<int64_t>&) const override {
    return {};
  }
  Shown shown_at(Seconds time) override {
    const auto frame = static_cast<int64_t>(time.count());
    return {frame, frame, Seconds(frame), Seconds(frame + 1)};
  }
  torch::Tensor make_batch(int64_t slots) const override { return torch::zeros({slots, 1}); }
  void load(Seconds time, const torch::Tensor& slot) override {
    slot.data_ptr<float>()[0] = static_cast<float>(shown_at(time).index);
  }
  torch::Tensor encode(const torch::Tensor& slots) const override {
    const torch::Tensor blocks = slots.clone().unsqueeze(-1);  // [n, 1, 1]
    const auto first = static_cast<int64_t>(blocks.data_ptr<float>()[0]);
    std::this_thread::sleep_for(std::chrono::milliseconds((first * 7) % 5));
    if (breaks_ && first <= kBroken && kBroken < first + slots.size(0)) {
      throw Error("frame 77 is broken");
    }
    return blocks;
  }

 private:
  bool breaks_;
  VideoInfo info_;
};

struct Seen {
  std::vector<float> film;                  // the blocks of the whole film
  std::vector<std::vector<float>> moments;  // and of each moment
  int64_t encoded = 0;
};

std::vector<float> values(const MemoryView& view) {
  const torch::Tensor flat = view.blocks.flatten().contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

/// Every second of a film, and two moments, one of which needs no frame of its own.
Seen watched(int64_t batch, int64_t encoders, bool breaks = false) {
  SamplingPlan plan;
  plan.duration = Seconds(kFrames);
  plan.fps = {1, 1};
  plan.frames = kFrames;
  plan.clips.emplace_back();
  for (int64_t i = 0; i < kFrames; ++i) plan.clips[0].samples.push_back({Seconds(i), i});
  const std::vector<Moment> moments = {{Seconds(31), 31}, {Seconds(60.5), 60}};
  Counting source(breaks);
  Seen seen;
  seen.moments.resize(moments.size());
  const MemorySink sink = [&](std::optional<size_t> moment, const MemoryView& view) {
    (moment ? seen.moments[*moment] : seen.film) = values(view);
  };
  StageCosts costs;
  Timeline timeline(plan, {}, true);
  for (const Moment& moment : moments) timeline.add(moment);
  Perceiver perceiver(source, timeline, {.batch = batch, .encoders = encoders}, costs);
  watch(perceiver, {.memory = {.policy = Policy::keep_all}}, sink, costs);
  seen.encoded = perceiver.frames_encoded();
  return seen;
}

TEST(WatchThreads, MemoryIsTheSameHoweverManyBatchesAreEncodedSideBySide) {
  std::vector<float> every_frame;
  for (int64_t i = 0; i < kFrames; ++i) every_frame.push_back(static_cast<float>(i));
  for (const int64_t encoders : {1, 2, 4}) {
    for (const int64_t batch : {1, 7, 200}) {
      SCOPED_TRACE(std::to_string(encoders) + " encoders of " + std::to_string(batch) + " frames");
      const Seen seen = watched(batch, encoders);
      EXPECT_EQ(seen.film, every_frame);
      EXPECT_EQ(seen.moments[0].size(), 32U);  // what was before, and the frame on screen
      EXPECT_EQ(seen.moments[0].back(), 31);
      EXPECT_EQ(seen.moments[1].back(), 60);
      EXPECT_EQ(seen.encoded, kFrames);
    }
  }
}

TEST(WatchThreads, WhatEncodingThrowsReachesTheCaller) {
  for (const int64_t encoders : {1, 3}) EXPECT_THROW(watched(8, encoders, true), Error);
}

}  // namespace
}  // namespace moviechat
