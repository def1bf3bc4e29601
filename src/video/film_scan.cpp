#include "video/film_scan.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "video/frame_clock.h"

namespace moviechat {
namespace {

constexpr size_t kDeepestReorder = 64;  // packets; H.264 and HEVC allow 16 frames

/// RFC 6386, 9.1: bit 4 of VP8's first byte is show_frame.
bool shows_vp8(const AVPacket& packet) { return (packet.data[0] & 0x10) != 0; }

/// VP9 bitstream specification, 6.2 (uncompressed_header): a frame that is only referred to may
/// have a block of its own. Superframes always end with one that is shown.
bool shows_vp9(const AVPacket& packet) {
  int bit = 0;
  const auto next = [&] {
    const int value = packet.data[bit / 8] >> (7 - bit % 8) & 1;
    ++bit;
    return value;
  };
  const uint8_t last = packet.data[packet.size - 1];
  if ((last & 0xe0) == 0xc0) return true;       // a superframe's index
  if (next() != 1 || next() != 0) return true;  // frame_marker: damaged
  const int low = next();
  const int profile = next() * 2 + low;
  if (profile == 3) next();      // reserved_zero
  if (next() == 1) return true;  // show_existing_frame
  next();                        // frame_type
  return next() == 1;            // show_frame
}

bool is_shown(const AVPacket& packet, AVCodecID codec) {
  if ((packet.flags & AV_PKT_FLAG_DISCARD) != 0 || packet.size == 0) return false;
  if (codec == AV_CODEC_ID_VP8) return shows_vp8(packet);
  if (codec == AV_CODEC_ID_VP9) return shows_vp9(packet);
  return true;
}

/// Packets in the order of the file → a film's index.
class Scan {
 public:
  Scan(double tick, int64_t first, double rate)
      : clock_(1 / (rate * tick), 1 / tick),
        step_(std::max<int64_t>(std::llround(1 / (rate * tick)), 1)),
        second_(std::llround(1 / tick)),
        first_(first),
        index_(std::make_shared<FilmIndex>(tick)) {}

  void add(const AVPacket& packet) {
    ++shown_;
    if (packet.pts == AV_NOPTS_VALUE) {
      timed_ = false;
      return;
    }
    const int64_t time = packet.dts != AV_NOPTS_VALUE ? packet.dts : packet.pts;
    if (latest_ && time < *latest_ - second_) flush();  // another recording begins
    latest_ = time;
    waiting_.push({packet.pts, packet.duration});
    while (waiting_.size() > kDeepestReorder) pop();
  }

  FilmScan finish() {
    flush();
    if (pending_) place(*pending_, pending_->pts);
    if (!timed_ || index_->frames() == 0) return {.frames = shown_};
    index_->end_at(end_);
    return {.index = index_, .frames = index_->frames(), .starts_over = clock_.started_over()};
  }

 private:
  struct Frame {
    int64_t pts = 0;
    int64_t duration = 0;
    bool operator>(const Frame& other) const { return pts > other.pts; }
  };

  void flush() {
    while (!waiting_.empty()) pop();
  }

  /// The next frame in order of show. One timestamp that leaps ahead is damaged when the next goes
  /// on from the one before it, as where frames are read.
  void pop() {
    const Frame next = waiting_.top();
    waiting_.pop();
    if (pending_) {
      const bool lies =
          clock_.leaps(pending_->pts) && clock_.goes_on_before(pending_->pts, next.pts);
      place(*pending_, lies ? AV_NOPTS_VALUE : pending_->pts);
    }
    pending_ = next;
  }

  void place(const Frame& frame, int64_t timestamp) {
    const int64_t pts = clock_.place(timestamp);
    if (pts < first_) return;
    index_->add(pts);
    end_ = pts + (frame.duration > 0 ? frame.duration : step_);
  }

  FrameClock clock_;
  int64_t step_;
  int64_t second_;
  int64_t first_;
  std::shared_ptr<FilmIndex> index_;
  std::priority_queue<Frame, std::vector<Frame>, std::greater<>> waiting_;
  std::optional<Frame> pending_;
  std::optional<int64_t> latest_;
  int64_t end_ = 0;
  int64_t shown_ = 0;
  bool timed_ = true;
};

}  // namespace

FilmScan scan_film(Demuxer& pass, int64_t first, double rate) {
  Scan scan(av_q2d(pass.stream().time_base), first, rate);
  const PacketPtr packet(av_allocated(av_packet_alloc()));
  const AVCodecID codec = pass.stream().codecpar->codec_id;
  while (pass.read(*packet)) {
    if (is_shown(*packet, codec)) scan.add(*packet);
  }
  return scan.finish();
}

}  // namespace moviechat
