#include "plan/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace moviechat {
namespace {

SamplingPlan two_clips_of_two(double duration = 4) {
  SamplingPlan plan;
  plan.duration = Seconds(duration);
  plan.fps = {1, 1};
  plan.frames = 4;
  plan.clips = {{0, {{Seconds(0), 0}, {Seconds(1), 1}}}, {1, {{Seconds(2), 2}, {Seconds(3), 3}}}};
  return plan;
}

std::vector<Step> steps_of(Timeline timeline, const std::vector<Moment>& moments) {
  for (const Moment& moment : moments) timeline.add(moment);
  std::vector<Step> steps;
  while (const auto step = timeline.next()) steps.push_back(*step);
  return steps;
}

std::vector<Step> schedule(const SamplingPlan& plan, const std::vector<Moment>& moments,
                           const PlanOptions& options, bool whole_film) {
  return steps_of(Timeline(plan, options, whole_film), moments);
}

/// One letter a step: s(ample), | (clip end), x (cut), c(urrent).
std::string letters(const std::vector<Step>& steps) {
  std::string text;
  for (const Step& step : steps) text += "s|xc"[static_cast<int>(step.kind)];
  return text;
}

TEST(Timeline, AWholeFilmIsItsSamplesAndClipEnds) {
  EXPECT_EQ(letters(schedule(two_clips_of_two(), {}, {}, true)), "ss|ss|");
}

TEST(Timeline, SamplesStandForTheTimeUntilTheNext) {
  const auto steps = schedule(two_clips_of_two(5), {}, {}, true);
  EXPECT_EQ(steps[1].time, Seconds(1));
  EXPECT_EQ(steps[1].end, Seconds(2));
  EXPECT_EQ(steps[4].end, Seconds(5));  // the last: until the end of the film
}

TEST(Timeline, AMomentSeesTheSamplesStrictlyBeforeIt) {
  EXPECT_EQ(letters(schedule(two_clips_of_two(), {{Seconds(2), 2}}, {}, true)), "ss|xcss|");
  EXPECT_EQ(letters(schedule(two_clips_of_two(), {{Seconds(2.5), 2}}, {}, true)), "ss|sxcs|");
  EXPECT_EQ(letters(schedule(two_clips_of_two(), {{Seconds(0), 0}}, {}, true)), "xcss|ss|");
  EXPECT_EQ(letters(schedule(two_clips_of_two(), {{Seconds(4), 4}}, {}, true)), "ss|ss|xc");
}

TEST(Timeline, WithoutTheWholeFilmNothingIsReadAfterTheLastMoment) {
  EXPECT_EQ(letters(schedule(two_clips_of_two(), {{Seconds(2.5), 2}, {Seconds(1), 1}}, {}, false)),
            "sxcs|sxc");
}

TEST(Timeline, TheReleasedRuleStopsBeforeTheClipOfTheMoment) {
  PlanOptions options;
  options.breakpoint = BreakpointRule::inference;
  options.c_denominator = 2;
  // t = 3 of 4 s in 2 clips: q = 1, c = ⌊(3 − 2)/(2/2)⌋ = 1: the first frame of clip 0.
  const auto steps = schedule(two_clips_of_two(), {{Seconds(3), 3}}, options, false);
  EXPECT_EQ(letters(steps), "sxs|sc");
  EXPECT_EQ(steps.back().time, Seconds(3));
}

TEST(Timeline, TheEvaluationScriptsRuleTakesTheFrameOneSecondIn) {
  PlanOptions options;
  options.breakpoint = BreakpointRule::eval_code;
  const auto steps = schedule(two_clips_of_two(), {{Seconds(3), 3}}, options, false);
  for (const Step& step : steps) {
    if (step.kind == Step::Kind::current) {
      EXPECT_EQ(step.time, Seconds(1));
    }
  }
}

TEST(Timeline, FramesComeInTimeOrderAndEveryMomentIsCompleted) {
  const std::vector<Moment> moments = {{Seconds(3.5), 3}, {Seconds(0.5), 0}, {Seconds(2), 2}};
  for (const BreakpointRule rule :
       {BreakpointRule::moment, BreakpointRule::inference, BreakpointRule::eval_code}) {
    PlanOptions options;
    options.breakpoint = rule;
    std::vector<int> cuts(moments.size());
    std::vector<int> currents(moments.size());
    Seconds last(0);
    for (const Step& step : schedule(two_clips_of_two(), moments, options, true)) {
      if (step.needs_frame()) {
        EXPECT_GE(step.time, last);
        last = step.time;
      }
      if (step.kind == Step::Kind::cut) {
        ++cuts[step.moment];
        EXPECT_EQ(step.time, moments[step.moment].at);
      }
      if (step.kind == Step::Kind::current) ++currents[step.moment];
    }
    EXPECT_THAT(cuts, ::testing::Each(1));
    EXPECT_THAT(currents, ::testing::Each(1));
  }
}

TEST(Timeline, MomentsMayJoinWhileTheFilmRunsUntilTheyHavePassed) {
  Timeline timeline(two_clips_of_two(), {}, true);
  EXPECT_EQ(timeline.next()->time, Seconds(0));
  EXPECT_EQ(timeline.next()->time, Seconds(1));
  timeline.add({Seconds(2.5), 2});
  EXPECT_THROW(timeline.add({Seconds(0.5), 0}), InputError);
  std::vector<Step> rest;
  while (const auto step = timeline.next()) rest.push_back(*step);
  EXPECT_EQ(letters(rest), "|sxcs|");
}

}  // namespace
}  // namespace moviechat
