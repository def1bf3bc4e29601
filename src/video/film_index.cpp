#include "moviechat/video/film_index.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moviechat {

void FilmIndex::add(int64_t pts) {
  constexpr int64_t kLongestStep = std::numeric_limits<uint32_t>::max();
  if (anchors_.empty()) end_ = pts;
  const int64_t step = anchors_.empty() ? 0 : pts - last_;
  const bool anchor = frames() % kSpacing == 0 || step > kLongestStep;
  if (anchor) anchors_.push_back({frames(), pts});
  steps_.push_back(anchor ? 0 : static_cast<uint32_t>(step));
  last_ = pts;
  end_ = std::max(end_, pts);
}

int64_t FilmIndex::pts(int64_t frame) const {
  const auto after = std::upper_bound(anchors_.begin(), anchors_.end(), frame,
                                      [](int64_t f, const Anchor& a) { return f < a.frame; });
  const Anchor& from = *std::prev(after);
  int64_t pts = from.pts;
  for (int64_t f = from.frame + 1; f <= frame; ++f) pts += steps_[static_cast<size_t>(f)];
  return pts;
}

int64_t FilmIndex::frame_at(int64_t pts) const {
  const auto after = std::upper_bound(anchors_.begin(), anchors_.end(), pts,
                                      [](int64_t t, const Anchor& a) { return t < a.pts; });
  if (after == anchors_.begin()) return 0;
  const Anchor& from = *std::prev(after);
  const int64_t end = after == anchors_.end() ? frames() : after->frame;
  int64_t frame = from.frame;
  int64_t time = from.pts;
  while (frame + 1 < end && time + steps_[static_cast<size_t>(frame + 1)] <= pts) {
    time += steps_[static_cast<size_t>(++frame)];
  }
  return frame;
}

int64_t FilmIndex::frame_at(Seconds since_first) const {
  constexpr double kSlack = 2e-6;  // s; doubles round times
  const double ticks = std::floor((since_first.count() + kSlack) / tick_);
  if (frames() == 0 || !(ticks > 0)) return frame_at(anchors_.empty() ? 0 : anchors_.front().pts);
  const double furthest = 4e18;
  return frame_at(ticks >= furthest ? std::numeric_limits<int64_t>::max()
                                    : anchors_.front().pts + static_cast<int64_t>(ticks));
}

Seconds FilmIndex::since_first(int64_t pts) const {
  return Seconds(static_cast<double>(pts - anchors_.front().pts) * tick_);
}

}  // namespace moviechat
