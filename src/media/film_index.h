#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "moviechat/time.h"

namespace moviechat {

/// When the frames of a film come on screen, in order of show, from its first shown frame to its
/// last, and where frames are missing or another recording begins. Presentation timestamps are in
/// the stream's time base. 4 bytes a frame.
class FilmIndex {
 public:
  /// `tick`: seconds of one tick of the time base.
  explicit FilmIndex(double tick) : tick_(tick) {}

  /// Memory for that many frames at once.
  void reserve(int64_t frames) { steps_.reserve(static_cast<size_t>(frames)); }
  /// The next frame; `pts` is that of the frame before or later.
  void add(int64_t pts);
  /// When the last frame ends.
  void end_at(int64_t pts) { end_ = pts; }
  /// The film begins at `pts`; frames before it are not shown.
  void begin_at(int64_t pts);
  /// Another recording begins with the next frame: the clock jumped, and was mended.
  void add_join() { joins_.push_back(frames()); }
  /// A packet of that time was damaged, or is not the one that follows on the packet before.
  void add_damage(int64_t pts) { damage_.push_back(pts); }

  int64_t end() const { return end_; }  // of the last frame

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

  /// Median time from one frame to the next; 0 of a single frame.
  Seconds usual_step() const { return Seconds(static_cast<double>(usual_ticks()) * tick_); }
  int64_t usual_ticks() const;

  /// A time in which no frame comes where one should.
  struct Gap {
    int64_t frame = 0;     // the last one before it
    Seconds time{0};       // when the frame after that should have come
    Seconds length{0};     // until the next one comes
    int64_t frames = 0;    // that fill it at a constant rate; 0 where the rate is not constant
    bool damaged = false;  // beside a damaged packet, so that frames were lost and it is no pause
  };
  /// Of a constant rate all, else those that last longer than a second and ten usual frames.
  std::vector<Gap> gaps() const;

  /// First frames of the recordings that follow on the first one.
  const std::vector<int64_t>& joins() const { return joins_; }

 private:
  /// A frame from which on the steps from one frame to the next are added up.
  struct Anchor {
    int64_t frame = 0;
    int64_t pts = 0;
  };
  static constexpr int64_t kSpacing = 64;  // frames

  Seconds since_first(int64_t pts) const;
  template <class Take>
  void for_each_step(int64_t stride, const Take& take) const;

  double tick_;
  std::vector<Anchor> anchors_;
  std::vector<uint32_t> steps_;  // from the frame before; 0 at an anchor
  std::vector<int64_t> joins_;
  std::vector<int64_t> damage_;
  int64_t last_ = 0;
  int64_t end_ = 0;
};

}  // namespace moviechat
