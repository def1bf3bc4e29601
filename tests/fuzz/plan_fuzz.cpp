// A sampling plan of a film with whatever length, rate and number of frames.

#include "fuzz/fuzz.h"
#include "moviechat/sampling_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moviechat;
  fuzz::Numbers numbers(data, size);
  PlanOptions options;
  options.kind =
      static_cast<PlanKind>(numbers.next<uint8_t>() % EnumNames<PlanKind>::values.size());
  constexpr int64_t kMost = 1000;  // more would only be slower
  const int64_t default_clips = numbers.next<int16_t>() % kMost;
  options.clips = numbers.next<int16_t>() % kMost;
  options.window = numbers.next<int16_t>() % kMost;
  options.frames = numbers.next<int16_t>();
  options.rate = numbers.next<float>();
  options.c_denominator = numbers.next<int64_t>();
  Timing timing;
  timing.duration = Seconds(numbers.next<double>());
  timing.fps = {numbers.next<int64_t>(), numbers.next<int64_t>()};
  timing.frames = numbers.next<int64_t>();
  const Seconds moment(numbers.next<double>());
  const auto moment_frame = numbers.next<int64_t>();
  constexpr double kMostSamples = 1e5;  // of a run: more would only be slower
  if (timing.duration.count() * options.rate > kMostSamples) options.rate = 1;
  if (timing.duration.count() > kMostSamples && options.kind == PlanKind::fps) return 0;
  fuzz::try_to([&] {
    options.check();
    const SamplingPlan plan = make_plan(options, timing, default_clips);
    plan.describe();
    for (const Clip& clip : plan.clips) {
      for (const Sample& sample : clip.samples) {
        if (!(sample.time >= Seconds(0)) || sample.frame < 0) {
          throw Error("a sample is before the film");
        }
      }
    }
    const int64_t parts = std::max<int64_t>(options.clips, 1);
    if (moment >= Seconds(0) && moment <= timing.duration) {
      released_cut(timing.duration, moment, parts, options.c_denominator);
    }
    if (timing.frames > 0 && moment_frame >= 0 && moment_frame <= timing.frames) {
      eval_code_cut(timing.frames, moment_frame, parts);
    }
  });
  return 0;
}
