#include "media/film_index.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

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

void FilmIndex::begin_at(int64_t begin) {
  if (frames() == 0 || pts(0) >= begin) return;
  int64_t first = frame_at(begin);
  if (pts(first) < begin) ++first;
  while (first > 0 && first <= frames() && pts(first - 1) >= begin) --first;
  FilmIndex rest(tick_);
  for (int64_t frame = first; frame < frames(); ++frame) rest.add(pts(frame));
  for (const int64_t join : joins_) {
    if (join > first) rest.joins_.push_back(join - first);
  }
  rest.damage_ = damage_;
  rest.end_ = end_;
  *this = std::move(rest);
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

/// Calls take(frame, its pts, ticks to the next frame) for every `stride`-th frame but the last.
template <class Take>
void FilmIndex::for_each_step(int64_t stride, const Take& take) const {
  int64_t before = 0;
  size_t anchor = 0;
  for (int64_t frame = 0; frame < frames(); ++frame) {
    const bool anchored = anchor < anchors_.size() && anchors_[anchor].frame == frame;
    const int64_t pts =
        anchored ? anchors_[anchor++].pts : before + steps_[static_cast<size_t>(frame)];
    if (frame > 0 && (frame - 1) % stride == 0) take(frame - 1, before, pts - before);
    before = pts;
  }
}

int64_t FilmIndex::usual_ticks() const {
  constexpr int64_t kSamples = 4096;
  const int64_t count = frames() - 1;
  if (count < 1) return 0;
  std::vector<int64_t> sample;
  for_each_step(std::max<int64_t>(count / kSamples, 1),
                [&](int64_t, int64_t, int64_t step) { sample.push_back(step); });
  const auto middle = sample.begin() + static_cast<std::ptrdiff_t>(sample.size() / 2);
  std::nth_element(sample.begin(), middle, sample.end());
  return std::max<int64_t>(*middle, 1);
}

std::vector<FilmIndex::Gap> FilmIndex::gaps() const {
  constexpr int64_t kFewest = 8;            // steps that tell a constant rate
  constexpr double kShareOfConstant = 0.9;  // of the steps
  constexpr int64_t kBeside = 50;           // frames from a damaged packet to a gap
  const int64_t count = frames() - 1;
  if (count < kFewest) return {};
  const int64_t usual = usual_ticks();
  const int64_t jitter = std::max<int64_t>(usual / 8, 1);
  int64_t regular = 0;
  for_each_step(1, [&](int64_t, int64_t, int64_t step) {
    if (std::abs(step - usual) <= jitter) ++regular;
  });
  const bool constant =
      static_cast<double>(regular) >= kShareOfConstant * static_cast<double>(count);
  const int64_t longest =
      constant ? usual + usual / 2 + 1 : std::max<int64_t>(10 * usual, std::llround(1 / tick_));
  std::vector<Gap> found;
  for_each_step(1, [&](int64_t frame, int64_t begin, int64_t step) {
    if (step <= longest) return;
    const int64_t end = begin + step;
    Gap gap;
    gap.frame = frame;
    gap.time = since_first(begin + usual);
    gap.length = since_first(end) - gap.time;
    if (constant) {
      gap.frames = std::llround(static_cast<double>(step) / static_cast<double>(usual)) - 1;
    }
    gap.damaged = std::any_of(damage_.begin(), damage_.end(), [&](int64_t packet) {
      return packet >= begin - kBeside * usual && packet <= end + kBeside * usual;
    });
    found.push_back(gap);
  });
  return found;
}

Seconds FilmIndex::since_first(int64_t pts) const {
  return Seconds(static_cast<double>(pts - anchors_.front().pts) * tick_);
}

}  // namespace moviechat
