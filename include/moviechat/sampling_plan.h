#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "moviechat/fields.h"
#include "moviechat/time.h"
#include "moviechat/video.h"

namespace moviechat {

/// How a film's frames are chosen.
enum class PlanKind {
  clips,     // the paper's: equal clips, w frames spaced evenly in each
  released,  // the authors' inference.py: rounded clips of whole frames
  uniform,   // n frames of the whole film
  fps,       // r frames a second, in windows of w
  none,      // no frame: the question alone
};
template <>
struct EnumNames<PlanKind> {
  static constexpr std::array values{std::pair{std::string_view("clips"), PlanKind::clips},
                                     std::pair{std::string_view("released"), PlanKind::released},
                                     std::pair{std::string_view("uniform"), PlanKind::uniform},
                                     std::pair{std::string_view("fps"), PlanKind::fps},
                                     std::pair{std::string_view("none"), PlanKind::none}};
};

/// Measure that a plan divides into equal parts. At a constant rate both give the same frames.
enum class PlanBy {
  kind,    // frames for released and uniform, time for clips and fps
  frames,  // the film's shown frames, so that none is read twice while others are left out
  time,
};
template <>
struct EnumNames<PlanBy> {
  static constexpr std::array values{std::pair{std::string_view("kind"), PlanBy::kind},
                                     std::pair{std::string_view("frames"), PlanBy::frames},
                                     std::pair{std::string_view("time"), PlanBy::time}};
};

/// Which samples count as "before t" at a breakpoint.
enum class BreakpointRule {
  moment,     // all samples before t
  inference,  // the authors' inference.py: released_cut
  eval_code,  // the authors' MovieChat-1K script: eval_code_cut
};
template <>
struct EnumNames<BreakpointRule> {
  static constexpr std::array values{
      std::pair{std::string_view("moment"), BreakpointRule::moment},
      std::pair{std::string_view("inference"), BreakpointRule::inference},
      std::pair{std::string_view("eval_code"), BreakpointRule::eval_code}};
};

/// The settings plan.*.
struct PlanOptions {
  PlanKind kind = PlanKind::clips;
  PlanBy by = PlanBy::kind;
  int64_t clips = 0;           // 0: as many as fill the memory (clips), or 128 (released)
  int64_t window = 8;          // w, the most frames of one clip
  int64_t frames = 32;         // n of uniform
  double rate = 1;             // r of fps
  int64_t c_denominator = 18;  // released_cut's parts of a clip
  BreakpointRule breakpoint = BreakpointRule::moment;

  /// InputError when a value is out of range.
  void check() const;
};

inline constexpr int64_t kMostPlanned = 10'000'000;  // of a plan; some 10 hours at 240 a second

template <class Visitor>
void visit_fields(PlanOptions& o, Visitor& field) {
  field("kind", o.kind, "how frames are chosen");
  field("by", o.by,
        "what is divided into equal parts: frames, time, or as is usual for the kind (frames for "
        "released and uniform, time for clips and fps)");
  field("clips", o.clips, {0, kMostPlanned},
        "clips that the film is cut into; 0: as many as fill the memory (clips), 128 (released)");
  field("window", o.window, {1, kMostPlanned}, "frames read of each clip (w)");
  field("frames", o.frames, {1, kMostPlanned}, "frames read of the whole film by plan uniform (n)");
  field("rate", o.rate, {0, 1e6, false}, "frames read of each second by plan fps (r)");
  field("c_denominator", o.c_denominator, {1, kMostPlanned},
        "parts of a clip in the released breakpoint rule (inference.py 18, short videos 10)");
  field("breakpoint", o.breakpoint, "which frames count as before a breakpoint");
}

/// The shorthand of --plan over `base`: clips, released, uniform[:N], fps[:R], none; paper is
/// clips.
PlanOptions parse_plan(const std::string& shorthand, PlanOptions base = {});

/// One frame to read.
struct Sample {
  Seconds time{0};    // when it is on screen; for plans that count frames, the middle of its show
  int64_t frame = 0;  // its index
  bool operator==(const Sample&) const = default;
};

/// Samples that are read together, in time order.
struct Clip {
  int64_t index = 0;
  std::vector<Sample> samples;
};

/// Which frames of a film are read, in time order. A plain value: no file, no model.
struct SamplingPlan {
  PlanKind kind = PlanKind::clips;
  Seconds duration{0};
  Rational fps;
  int64_t frames = 0;
  std::vector<Clip> clips;

  int64_t sample_count() const;
  /// One line: "256 clips of 8 frames: 2048 samples of 300 frames in 10 s at 30 fps".
  std::string describe() const;
};

/// algorithm: a plan cuts the duration D into equal clips and takes up to w frames of each.
/// `default_clips` is (L/m)·((K−m)/w), used by kind clips when options.clips is 0.
SamplingPlan make_plan(const PlanOptions& options, const Timing& timing, int64_t default_clips);

/// What the released code reads before a breakpoint: clips 0 … clips_read()−1, of the last of them
/// only its first `last_clip_frames` samples.
struct BreakpointCut {
  int64_t clips = 0;             // q, the clip that holds the moment; it is not read itself
  int64_t last_clip_frames = 0;  // c

  int64_t clips_read() const { return clips > 0 ? clips : 1; }
  bool operator==(const BreakpointCut&) const = default;
};

/// inference.py: q = ⌊t/clip⌋, c = ⌊(t − clip·q)/(clip/denominator)⌋, clip = D/clips.
BreakpointCut released_cut(Seconds duration, Seconds moment, int64_t clips, int64_t denominator);

/// eval_code for MovieChat-1K, the moment a frame number f: q = ⌊f/(F/clips)⌋, c = ⌊F − q·F/clips⌋.
BreakpointCut eval_code_cut(int64_t frames, int64_t moment_frame, int64_t clips);

}  // namespace moviechat
