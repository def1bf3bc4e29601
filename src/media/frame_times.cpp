#include "media/frame_times.h"

#include <algorithm>
#include <cmath>

#include "media/film_index.h"

namespace moviechat {

std::optional<Seconds> time_of_frame(const VideoInfo& info, int64_t frame) {
  constexpr double kSameTime = 1e-6;  // s; a constant rate's own quotient is taken within this
  if (frame < 0) return std::nullopt;
  if (!info.open_ended() && frame >= std::max<int64_t>(info.frames, 1)) return std::nullopt;
  const Seconds by_rate(static_cast<double>(frame) / info.fps.value());
  if (!info.index) return by_rate;
  const Seconds exact = info.index->time(frame);
  return std::abs((exact - by_rate).count()) < kSameTime ? by_rate : exact;
}

}  // namespace moviechat
