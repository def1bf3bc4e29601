#pragma once

#include <cmath>
#include <cstdint>

#include "media/ffmpeg.h"

namespace moviechat {

/// Timestamps of a stream whose clock may jump (AVFMT_TS_DISCONT: MPEG-TS, MPEG-PS, live FLV), back
/// where recordings were joined, ahead where something was cut in → timestamps that go on. In other
/// formats a gap is a pause, and this is not used.
/// reference: ts_discontinuity_process of the ffmpeg program, with its thresholds.
class PacketClock {
 public:
  /// `tick`: seconds of one tick.
  explicit PacketClock(double tick)
      : furthest_ahead_(std::llround(10 / tick)), furthest_back_(std::llround(0.1 / tick)) {}

  /// Packets in the order of the file.
  void mend(AVPacket& packet) {
    if (packet.dts != AV_NOPTS_VALUE) {
      const int64_t time = packet.dts + offset_;
      if (next_ != AV_NOPTS_VALUE &&
          (time > next_ + furthest_ahead_ || time + furthest_back_ < last_)) {
        offset_ = next_ - packet.dts;
        ++jumps_;
      }
      packet.dts += offset_;
      last_ = packet.dts;
      next_ = last_ + packet.duration;
    }
    if (packet.pts != AV_NOPTS_VALUE) packet.pts += offset_;
  }

  /// Forgets where the clock stood; to be called after a seek.
  void restart() { next_ = last_ = AV_NOPTS_VALUE; }

  int64_t jumps() const { return jumps_; }

 private:
  int64_t furthest_ahead_;
  int64_t furthest_back_;
  int64_t offset_ = 0;
  int64_t last_ = AV_NOPTS_VALUE;  // of the packet before
  int64_t next_ = AV_NOPTS_VALUE;  // where the packet after it is expected
  int64_t jumps_ = 0;
};

}  // namespace moviechat
