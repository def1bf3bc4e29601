#pragma once

#include <algorithm>
#include <cstdint>

#include "media/ffmpeg.h"

namespace moviechat {

/// Timestamps of frames in order of show, AV_NOPTS_VALUE where there is none → timestamps that
/// never go back, in the stream's time base. Where a frame has none (raw streams), it follows the
/// one before at the stream's rate; where timestamps start over (joined files), they go on from
/// there; where they overlap by less than a second, the later frame is shown at once.
class FrameClock {
 public:
  /// `step`: ticks of one frame at the stream's rate; `second`: ticks of a second.
  FrameClock(double step, double second) : step_(std::min(step, kLongestStep)), second_(second) {}

  /// `exact`: the timestamp is the frame's own, not a guess of the decoder's.
  int64_t place(int64_t timestamp, bool exact = true);

  /// The frame comes a second or more after the one placed last: a gap, or a damaged timestamp.
  bool leaps(int64_t timestamp) const;

  /// The frame after one that leaps comes before it and goes on from the one placed last, so that
  /// the leap is no gap.
  bool goes_on_before(int64_t leaping, int64_t next) const;

  /// Forgets the frames before; to be called after a seek.
  void restart() {
    last_ = AV_NOPTS_VALUE;
    offset_ = 0;
    counted_ = 0;
  }

  /// Every frame's timestamp was its own, so that a seek cannot change it.
  bool exact() const { return exact_; }

  /// Timestamps started over, and were shifted to go on.
  bool started_over() const { return offset_ != 0; }

 private:
  static constexpr double kLongestStep = 1 << 30;  // of a damaged header
  double step_;
  double second_;
  int64_t last_ = AV_NOPTS_VALUE;
  int64_t offset_ = 0;
  int64_t counted_ = 0;  // frames placed by counting since counted_from_
  int64_t counted_from_ = 0;
  bool exact_ = true;
};

}  // namespace moviechat
