#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moviechat/costs.h"
#include "moviechat/fields.h"
#include "moviechat/sampling_plan.h"
#include "moviechat/time.h"
#include "moviechat/video.h"

namespace moviechat {

/// A question about the whole film, or about the moment `at`, or about the moment when the frame
/// `at_frame` (counted from 0 in order of show) comes on screen.
struct Question {
  std::string text;
  std::optional<Seconds> at;
  std::optional<int64_t> at_frame;
};

/// Why an answer ended.
enum class FinishReason {
  stop,    // its last tokens are a stop sequence
  eos,     // the model ended it
  length,  // as many tokens as allowed
};

template <>
struct EnumNames<FinishReason> {
  static constexpr std::array values{std::pair{std::string_view("stop"), FinishReason::stop},
                                     std::pair{std::string_view("eos"), FinishReason::eos},
                                     std::pair{std::string_view("length"), FinishReason::length}};
};

/// A part of the film that an answer rests on.
struct Evidence {
  Seconds start{0};
  Seconds end{0};
  double score = 0;  // share among the parts named; they sum to 1
};
template <class Visitor>
void visit_fields(Evidence& o, Visitor& field) {
  field("start", o.start);
  field("end", o.end);
  field("score", o.score);
}

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
template <class Visitor>
void visit_fields(Counts& o, Visitor& field) {
  field("frames_decoded", o.frames_decoded);
  field("frames_encoded", o.frames_encoded);
  field("seeks", o.seeks);
  field("blocks_long", o.blocks_long);
  field("blocks_short", o.blocks_short);
}

struct RunResult {
  VideoInfo video;
  SamplingPlan plan;
  std::vector<Answer> answers;  // in the order of the questions
  Counts counts;
  std::vector<StageCost> stages;  // "prompt" is a part of "answer"
};

}  // namespace moviechat
