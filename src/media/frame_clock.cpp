#include "media/frame_clock.h"

#include <algorithm>
#include <cmath>

namespace moviechat {

bool FrameClock::leaps(int64_t timestamp) const {
  return timestamp != AV_NOPTS_VALUE && last_ != AV_NOPTS_VALUE &&
         static_cast<double>(timestamp + offset_ - last_) >= second_;
}

bool FrameClock::goes_on_before(int64_t leaping, int64_t next) const {
  return next != AV_NOPTS_VALUE && next + offset_ >= last_ && next < leaping;
}

int64_t FrameClock::place(int64_t timestamp, bool exact) {
  if (timestamp == AV_NOPTS_VALUE) {
    exact_ = false;
    if (counted_ == 0) counted_from_ = last_ == AV_NOPTS_VALUE ? 0 : last_;
    // The first of all stands at its base, every other one step further.
    if (last_ != AV_NOPTS_VALUE) ++counted_;
    last_ = counted_from_ + std::llround(static_cast<double>(counted_) * step_);
    return last_;
  }
  counted_ = 0;
  exact_ = exact_ && exact;
  int64_t pts = timestamp + offset_;
  if (last_ != AV_NOPTS_VALUE && pts < last_) {
    exact_ = false;
    const bool starts_over = static_cast<double>(last_ - pts) >= second_;
    pts = starts_over ? last_ + std::max<int64_t>(std::llround(step_), 1) : last_;
    if (starts_over) offset_ = pts - timestamp;
  }
  last_ = pts;
  return pts;
}

}  // namespace moviechat
