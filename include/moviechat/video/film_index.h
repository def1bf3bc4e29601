#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "moviechat/support/seconds.h"

namespace moviechat {

/// When the frames of a film come on screen, in order of show, from its first shown frame to its
/// last. Presentation timestamps are in the stream's time base. 4 bytes a frame.
class FilmIndex {
 public:
  /// `tick`: seconds of one tick of the time base.
  explicit FilmIndex(double tick) : tick_(tick) {}

  /// The next frame; `pts` is that of the frame before or later.
  void add(int64_t pts);
  /// When the last frame ends.
  void end_at(int64_t pts) { end_ = pts; }

  int64_t frames() const { return static_cast<int64_t>(steps_.size()); }
  /// Of the frame `frame`, 0 … frames()−1.
  int64_t pts(int64_t frame) const;
  /// Since the first frame came on screen.
  Seconds time(int64_t frame) const { return since_first(pts(frame)); }
  /// When the next frame comes.
  Seconds end(int64_t frame) const {
    return frame + 1 < frames() ? time(frame + 1) : since_first(end_);
  }
  Seconds duration() const { return frames() == 0 ? Seconds(0) : since_first(end_); }

  /// The frame on screen at a timestamp, the last of several that came at once: its pts <= `pts` <
  /// the next one's. Before the film the first.
  int64_t frame_at(int64_t pts) const;
  int64_t frame_at(Seconds since_first) const;

 private:
  /// A frame from which on the steps from one frame to the next are added up.
  struct Anchor {
    int64_t frame = 0;
    int64_t pts = 0;
  };
  static constexpr int64_t kSpacing = 64;  // frames

  Seconds since_first(int64_t pts) const;

  double tick_;
  std::vector<Anchor> anchors_;
  std::vector<uint32_t> steps_;  // from the frame before; 0 at an anchor
  int64_t last_ = 0;
  int64_t end_ = 0;
};

}  // namespace moviechat
