#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "moviechat/answer/evidence.h"
#include "moviechat/answer/stop_rule.h"
#include "moviechat/support/seconds.h"
#include "moviechat/support/stage_costs.h"
#include "moviechat/video/frame_reader.h"
#include "moviechat/video/sampling_plan.h"

namespace moviechat {

/// A question about the whole film, or about the moment `at`, or about the moment when the frame
/// `at_frame` (counted from 0 in order of show) comes on screen.
struct Question {
  std::string text;
  std::optional<Seconds> at;
  std::optional<int64_t> at_frame;
};

struct Answer {
  Question question;
  std::optional<Seconds> at;  // the moment asked about; nullopt: the whole film
  std::string text;
  std::vector<int64_t> token_ids;
  FinishReason finish_reason = FinishReason::eos;
  int64_t prompt_tokens = 0;
  int64_t answer_tokens = 0;
  std::vector<Evidence> evidence;  // empty unless asked for
};

/// Work done. Counted, not timed.
struct Counts {
  int64_t frames_decoded = 0;
  int64_t frames_encoded = 0;
  int64_t seeks = 0;
  int64_t blocks_long = 0;  // at the end of the film, or of the part that was watched
  int64_t blocks_short = 0;
};

struct RunResult {
  VideoInfo video;
  SamplingPlan plan;
  std::vector<Answer> answers;  // in the order of the questions
  Counts counts;
  std::vector<StageCost> stages;  // "prompt" is a part of "answer"
};

}  // namespace moviechat
