#include "video/frame_clock.h"

#include <algorithm>
#include <cmath>

namespace moviechat {

bool FrameClock::leaps(const AVFrame& frame) const {
  const int64_t own = frame.best_effort_timestamp;
  return own != AV_NOPTS_VALUE && last_ != AV_NOPTS_VALUE &&
         static_cast<double>(own + offset_ - last_) >= second_;
}

bool FrameClock::goes_on_before(const AVFrame& leaping, const AVFrame& next) const {
  const int64_t own = next.best_effort_timestamp;
  return own != AV_NOPTS_VALUE && own + offset_ >= last_ && own < leaping.best_effort_timestamp;
}

int64_t FrameClock::place(const AVFrame& frame) {
  const int64_t own = frame.best_effort_timestamp;
  if (own == AV_NOPTS_VALUE) {
    exact_ = false;
    if (counted_ == 0) counted_from_ = last_ == AV_NOPTS_VALUE ? 0 : last_;
    // The first of all stands at its base, every other one step further.
    if (last_ != AV_NOPTS_VALUE) ++counted_;
    last_ = counted_from_ + std::llround(static_cast<double>(counted_) * step_);
    return last_;
  }
  counted_ = 0;
  exact_ = exact_ && frame.pts == own;
  int64_t pts = own + offset_;
  if (last_ != AV_NOPTS_VALUE && pts < last_) {
    exact_ = false;
    const bool starts_over = static_cast<double>(last_ - pts) >= second_;
    pts = starts_over ? last_ + std::max<int64_t>(std::llround(step_), 1) : last_;
    if (starts_over) offset_ = pts - own;
  }
  last_ = pts;
  return pts;
}

}  // namespace moviechat
