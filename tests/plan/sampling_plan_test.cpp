#include "moviechat/sampling_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include "base/json.h"

#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

nlohmann::json recorded(const char* part) {
  return nlohmann::json::parse(std::ifstream(testing::golden("plans.json"))).at(part);
}

Rational rational(const std::string& text) {
  const size_t slash = text.find('/');
  return {std::stoll(text), slash == std::string::npos ? 1 : std::stoll(text.substr(slash + 1))};
}

Timing timing(int64_t frames, Rational fps) {
  return {Seconds(static_cast<double>(frames) / fps.value()), fps, frames};
}

std::vector<std::vector<int64_t>> indices(const SamplingPlan& plan) {
  std::vector<std::vector<int64_t>> all;
  for (const Clip& clip : plan.clips) {
    EXPECT_EQ(clip.index, static_cast<int64_t>(all.size()));
    all.emplace_back();
    for (const Sample& sample : clip.samples) all.back().push_back(sample.frame);
  }
  return all;
}

std::vector<int64_t> flat_indices(const SamplingPlan& plan) {
  std::vector<int64_t> all;
  for (const auto& clip : indices(plan)) all.insert(all.end(), clip.begin(), clip.end());
  return all;
}

template <class Function>
std::string input_error(Function function) {
  try {
    function();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

TEST(SamplingPlan, ReleasedReadsTheFramesThatTheAuthorsReadInAllRunsMeasured) {
  const auto cases = recorded("released");
  ASSERT_GE(cases.size(), 8u);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.at("fps").dump() + " " + c.at("duration").dump() + " " + c.at("clips").dump());
    PlanOptions options;
    options.kind = PlanKind::released;
    options.clips = c.at("clips");
    options.window = c.at("w");
    const Timing film{Seconds(c.at("duration").get<double>()), rational(c.at("fps")),
                      c.at("frames")};
    EXPECT_EQ(indices(make_plan(options, film, 256)),
              c.at("indices").get<std::vector<std::vector<int64_t>>>());
  }
}

TEST(SamplingPlan, ClipsAreSpacedAsRecordedAtSeveralRates) {
  for (const auto& c : recorded("spaced")) {
    for (const Rational fps : {Rational{30, 1}, Rational{25, 1}, Rational{30000, 1001},
                               Rational{24000, 1001}, Rational{7, 3}}) {
      SCOPED_TRACE(c.at("frames").dump() + " at " + std::to_string(fps.value()));
      PlanOptions options;
      options.window = c.at("w");
      const SamplingPlan plan = make_plan(options, timing(c.at("frames"), fps), c.at("clips"));
      EXPECT_EQ(indices(plan), c.at("indices").get<std::vector<std::vector<int64_t>>>());
    }
  }
}

TEST(SamplingPlan, UniformIsSpacedAsRecordedAndNeverRepeatsAFrame) {
  for (const auto& c : recorded("uniform")) {
    PlanOptions options;
    options.kind = PlanKind::uniform;
    options.frames = c.at("n");
    EXPECT_EQ(flat_indices(make_plan(options, timing(c.at("frames"), {30, 1}), 256)),
              c.at("indices").get<std::vector<int64_t>>());
  }
}

TEST(SamplingPlan, ReleasedBreakpointsAreCutAsRecorded) {
  for (const auto& c : recorded("quirk")) {
    SCOPED_TRACE(c.dump());
    const Seconds duration(c.at("duration").get<double>());
    const Seconds moment(c.at("t").get<double>());
    EXPECT_EQ(released_cut(duration, moment, 128, 18),
              (BreakpointCut{c.at("clips128").at("q"), c.at("clips128").at("c")}));
    EXPECT_EQ(released_cut(duration, moment, 32, 10),
              (BreakpointCut{c.at("clips32").at("q"), c.at("clips32").at("c")}));
  }
}

TEST(SamplingPlan, EvalCodeBreakpointsAreCutAsRecorded) {
  for (const auto& c : recorded("quirk_eval")) {
    SCOPED_TRACE(c.dump());
    EXPECT_EQ(eval_code_cut(c.at("frames"), c.at("time"), 128),
              (BreakpointCut{c.at("q"), c.at("c")}));
  }
}

TEST(SamplingPlan, TheFirstClipIsReadEvenIfItHoldsTheBreakpoint) {
  EXPECT_EQ((BreakpointCut{0, 5}).clips_read(), 1);
  EXPECT_EQ((BreakpointCut{1, 5}).clips_read(), 1);
  EXPECT_EQ((BreakpointCut{7, 5}).clips_read(), 7);
}

TEST(SamplingPlan, ClipsFillTheMemoryUnlessTheirNumberIsSet) {
  PlanOptions options;
  const Timing film = timing(300, {30, 1});
  EXPECT_EQ(make_plan(options, film, 256).clips.size(), 256u);
  EXPECT_EQ(make_plan(options, film, 256).sample_count(), 2048);
  options.clips = 3;
  EXPECT_EQ(make_plan(options, film, 256).clips.size(), 3u);
  options.kind = PlanKind::released;
  EXPECT_EQ(make_plan(options, film, 256).clips.size(), 3u);
  options.clips = 0;
  EXPECT_EQ(make_plan(options, film, 256).clips.size(), 128u);
}

TEST(SamplingPlan, RateTakesFramesAtWholeStepsInWindows) {
  PlanOptions options;
  options.kind = PlanKind::fps;
  options.rate = 2;
  options.window = 3;
  const SamplingPlan plan = make_plan(options, timing(75, {25, 1}), 256);  // 3 s
  ASSERT_EQ(plan.clips.size(), 2u);
  EXPECT_THAT(flat_indices(plan), ElementsAre(0, 12, 25, 37, 50, 62));
  EXPECT_DOUBLE_EQ(plan.clips[1].samples[2].time.count(), 2.5);
  options.rate = 0.1;  // less than one frame in the film: the first one
  EXPECT_THAT(flat_indices(make_plan(options, timing(75, {25, 1}), 256)), ElementsAre(0));
}

TEST(SamplingPlan, ATimeOfAnIndexedSampleIsInTheMiddleOfItsFrame) {
  PlanOptions options;
  options.kind = PlanKind::uniform;
  options.frames = 4;
  const SamplingPlan plan = make_plan(options, timing(8, {4, 1}), 256);
  EXPECT_DOUBLE_EQ(plan.clips[0].samples[1].time.count(), 2.5 / 4);
  EXPECT_EQ(plan.clips[0].samples[1].frame, 2);
}

TEST(SamplingPlan, NoSampleLiesAtOrBeyondTheEnd) {
  for (const PlanKind kind :
       {PlanKind::clips, PlanKind::released, PlanKind::uniform, PlanKind::fps}) {
    for (const int64_t frames : {1, 2, 7, 100, 12345}) {
      PlanOptions options;
      options.kind = kind;
      options.rate = 3.7;
      const Timing film = timing(frames, {30000, 1001});
      for (const Clip& clip : make_plan(options, film, 256).clips) {
        ASSERT_FALSE(clip.samples.empty());
        for (const Sample& sample : clip.samples) {
          ASSERT_LT(sample.frame, frames);
          ASSERT_LT(sample.time, film.duration);
        }
      }
    }
  }
}

TEST(SamplingPlan, ShorthandSetsKindAndNumberAndKeepsTheRest) {
  PlanOptions base;
  base.window = 5;
  EXPECT_EQ(parse_plan("paper", base).kind, PlanKind::clips);
  EXPECT_EQ(parse_plan("clips", base).window, 5);
  EXPECT_EQ(parse_plan("released", base).kind, PlanKind::released);
  EXPECT_EQ(parse_plan("uniform:8", base).frames, 8);
  EXPECT_EQ(parse_plan("uniform", base).frames, 32);
  EXPECT_EQ(parse_plan("fps:0.5", base).rate, 0.5);
  for (const char* bad : {"", "clip", "uniform:", "uniform:0", "uniform:x", "fps:0", "fps:-1",
                          "fps:nan", "fps:inf", "released:3", "uniform:8:9"}) {
    EXPECT_THAT(input_error([&] { parse_plan(bad, base); }), HasSubstr("plan")) << bad;
  }
}

TEST(SamplingPlan, SettingsAreReadByNameAndChecked) {
  PlanOptions options;
  set_field(options, "kind", "fps");
  set_field(options, "rate", "2.5");
  set_field(options, "breakpoint", "eval_code");
  EXPECT_EQ(options.kind, PlanKind::fps);
  EXPECT_EQ(options.rate, 2.5);
  EXPECT_EQ(options.breakpoint, BreakpointRule::eval_code);
  options.window = 0;
  EXPECT_EQ(input_error([&] { options.check(); }), "plan.window must be 1 to 10000000, got 0");
  options.window = 8;
  options.clips = INT64_MAX / 2;
  EXPECT_THAT(input_error([&] { options.check(); }), HasSubstr("plan.clips must be 0 to 10000000"));
  options.clips = 5'000'000;
  EXPECT_THAT(input_error([&] { options.check(); }), HasSubstr("plan.clips times plan.window"));
}

TEST(SamplingPlan, AFilmWithoutDurationOrRateIsRefused) {
  EXPECT_THAT(input_error([] {
                make_plan({}, {Seconds(0), {30, 1}, 0}, 256);
              }),
              StartsWith("plan clips needs a film with a known duration"));
  EXPECT_THAT(input_error([] {
                make_plan({}, {Seconds(1), {0, 1}, 0}, 256);
              }),
              HasSubstr("known frame rate"));
}

TEST(SamplingPlan, IsDescribedInOneLine) {
  EXPECT_EQ(make_plan({}, timing(300, {30, 1}), 256).describe(),
            "clips: 256 clips of up to 8 frames, 2048 samples of 300 frames in 10 s");
}

}  // namespace
}  // namespace moviechat
