#include "media/film_scan.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "media/film_index.h"
#include "media/frame_clock.h"

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

/// The packet leads to a frame on screen.
bool is_shown(const AVPacket& packet, AVCodecID codec) {
  if ((packet.flags & AV_PKT_FLAG_DISCARD) != 0 || packet.size == 0) return false;
  if (codec == AV_CODEC_ID_VP8) return shows_vp8(packet);
  if (codec == AV_CODEC_ID_VP9) return shows_vp9(packet);
  return true;
}

/// Packets in the order of the file → a film's index.
class Scan {
 public:
  Scan(double tick, double rate)
      : clock_(1 / (rate * tick), 1 / tick),
        step_(std::max<int64_t>(std::llround(1 / (rate * tick)), 1)),
        second_(std::llround(1 / tick)),
        index_(std::make_shared<FilmIndex>(tick)) {}

  /// `joined`: another recording begins with it; `damaged`: something before it could not be read.
  void add(const AVPacket& packet, bool joined, bool damaged) {
    ++shown_;
    const int64_t time = packet.dts != AV_NOPTS_VALUE ? packet.dts : packet.pts;
    torn_ = (packet.flags & AV_PKT_FLAG_CORRUPT) != 0;
    if ((torn_ || damaged) && time != AV_NOPTS_VALUE) index_->add_damage(time);
    if (time == AV_NOPTS_VALUE) {
      timed_ = false;
      return;
    }
    if (packet.pts == AV_NOPTS_VALUE) ++without_pts_;
    if (joined || (latest_ && time < *latest_ - second_)) flush();  // another recording begins
    if (joined) index_->add_join();
    waiting_.push({shown_at(packet), packet.duration});
    latest_ = time;
    while (waiting_.size() > kDeepestReorder) pop();
  }

  FilmScan finish() {
    flush();
    FilmScan scan;
    scan.frames = shown_;
    scan.is_last_torn = torn_;
    scan.by_decoding = without_pts_ == shown_;
    if (!timed_ || index_->frames() == 0) return scan;
    if (without_pts_ > 0 && !scan.by_decoding) return scan;
    index_->end_at(end_);
    scan.index = index_;
    scan.frames = index_->frames();
    scan.starts_over = clock_.started_over();
    return scan;
  }

 private:
  struct Frame {
    int64_t pts = 0;
    int64_t duration = 0;
    bool operator>(const Frame& other) const { return pts > other.pts; }
  };

  /// A packet is shown at most as many frames after it is decoded as a codec may reorder. A
  /// timestamp beyond that is damaged; it is taken for one like the timestamp before.
  int64_t shown_at(const AVPacket& packet) {
    constexpr int64_t kReorder = 17;  // frames
    if (packet.pts == AV_NOPTS_VALUE) return packet.dts;
    if (packet.dts == AV_NOPTS_VALUE) return packet.pts;
    const int64_t step = std::max(latest_ ? packet.dts - *latest_ : 0, step_);
    const int64_t delay = packet.pts - packet.dts;
    if (std::abs(delay) > std::max(second_, kReorder * step)) return packet.dts + delay_;
    delay_ = delay;
    return packet.pts;
  }

  void flush() {
    while (!waiting_.empty()) pop();
    if (pending_) place(*pending_, pending_->pts);
    pending_.reset();
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
    index_->add(pts);
    end_ = pts + (frame.duration > 0 ? frame.duration : step_);
  }

  FrameClock clock_;
  int64_t step_;
  int64_t second_;
  std::shared_ptr<FilmIndex> index_;
  std::priority_queue<Frame, std::vector<Frame>, std::greater<>> waiting_;
  std::optional<Frame> pending_;
  std::optional<int64_t> latest_;
  int64_t delay_ = 0;  // from decoding to show, of the packet before
  int64_t end_ = 0;
  int64_t shown_ = 0;
  int64_t without_pts_ = 0;
  bool timed_ = true;
  bool torn_ = false;
};

}  // namespace

FilmScan scan_film(Demuxer& pass, double rate, const ProgressSink& progress) {
  constexpr int64_t kPacketsPerReport = 1000;
  constexpr int64_t kMegabyte = 1'000'000;
  const double tick = av_q2d(pass.stream().time_base);
  Scan scan(tick, rate);
  const PacketPtr packet(av_allocated(av_packet_alloc()));
  const AVCodecID codec = pass.stream().codecpar->codec_id;
  const bool matroska = pass.container() == "matroska,webm";
  const AVIOContext* bytes = pass.context().pb;
  int64_t packets = 0;
  int64_t jumps = 0;
  int64_t complaints = pass.complaints();
  std::optional<Seconds> end;
  pass.read_others(true);
  while (pass.read(*packet)) {
    if (progress && bytes != nullptr && ++packets % kPacketsPerReport == 0) {
      progress(
          {"indexing", bytes->pos / kMegabyte, avio_size(pass.context().pb) / kMegabyte, "MB"});
    }
    if (packet->pts != AV_NOPTS_VALUE) {
      const Seconds shown_until(static_cast<double>(packet->pts + packet->duration) * tick);
      end = std::max(end.value_or(shown_until), shown_until);
    }
    // Transport streams mark packets, and those where recordings were joined are not damaged.
    const bool damaged = pass.complaints() > complaints && pass.container() != "mpegts";
    complaints = pass.complaints();
    const bool joined = pass.clock_jumps() > jumps;
    jumps = pass.clock_jumps();
    // Matroska's frames before time 0 have none: what a cut left of a group of pictures.
    const bool before_zero = packet->pts == AV_NOPTS_VALUE && matroska;
    if (!before_zero && is_shown(*packet, codec)) scan.add(*packet, joined, damaged);
  }
  FilmScan result = scan.finish();
  result.starts_over = result.starts_over || jumps > 0;
  result.keys = pass.key_timestamps();
  const auto others = pass.end_of_others();
  result.end = end && others ? std::max(*end, *others) : (end ? end : others);
  return result;
}

}  // namespace moviechat
