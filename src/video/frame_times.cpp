#include "moviechat/video/frame_times.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <queue>

#include "video/demuxer.h"

namespace moviechat {
namespace {

constexpr size_t kDeepestReorder = 64;  // packets; H.264 and HEVC allow 16 frames
constexpr double kSameTime = 1e-6;      // s; a constant rate's own quotient is taken within this

/// Packets in order of decoding → timestamps in order of show.
class ShowOrder {
 public:
  ShowOrder(const std::filesystem::path& path, const VideoInfo& info, const ReaderOptions& options)
      : demuxer_(path.string(), options.allow_url, options.cancel),
        ticks_(av_q2d(demuxer_.stream().time_base)),
        first_(std::llround(info.start.count() / ticks_)) {}

  /// The next frame's timestamp; nullopt at the end.
  std::optional<int64_t> next() {
    while (!ended_ && waiting_.size() <= kDeepestReorder) fill();
    if (waiting_.empty()) return std::nullopt;
    const int64_t pts = waiting_.top();
    waiting_.pop();
    orderly_ = orderly_ && pts >= last_;
    last_ = pts;
    return pts;
  }

  /// When the frame of a timestamp comes on screen.
  Seconds time_of(int64_t pts) const { return Seconds(static_cast<double>(pts - first_) * ticks_); }

  /// Every frame has a timestamp, and they never start over.
  bool orderly() const { return orderly_; }

 private:
  void fill() {
    if (!demuxer_.read(*packet_)) {
      ended_ = true;
    } else if (packet_->pts == AV_NOPTS_VALUE) {
      orderly_ = false;
      ended_ = true;
    } else if (is_shown() && packet_->pts >= first_) {
      waiting_.push(packet_->pts);
    }
  }

  /// VP8 has packets of their own for frames that are only referred to (RFC 6386, 9.1: bit 4 of the
  /// first byte is show_frame); VP9 and AV1 keep them in the packet of one that is shown.
  bool is_shown() const {
    if ((packet_->flags & AV_PKT_FLAG_DISCARD) != 0 || packet_->size == 0) return false;
    constexpr uint8_t kShowFrame = 0x10;
    return demuxer_.stream().codecpar->codec_id != AV_CODEC_ID_VP8 ||
           (packet_->data[0] & kShowFrame) != 0;
  }

  Demuxer demuxer_;
  double ticks_;  // s
  int64_t first_;
  PacketPtr packet_{av_allocated(av_packet_alloc())};
  std::priority_queue<int64_t, std::vector<int64_t>, std::greater<>> waiting_;
  int64_t last_ = INT64_MIN;
  bool orderly_ = true;
  bool ended_ = false;
};

}  // namespace

std::vector<std::optional<Seconds>> times_of_frames(const std::filesystem::path& path,
                                                    const VideoInfo& info,
                                                    const std::vector<int64_t>& indices,
                                                    const ReaderOptions& options) {
  std::map<int64_t, std::optional<Seconds>> time_of;
  for (const int64_t index : indices) time_of[index] = std::nullopt;
  const double fps = info.fps.value();
  const auto by_rate = [&](int64_t index) { return Seconds(static_cast<double>(index) / fps); };

  // A stream that comes as it comes is not opened twice.
  bool timed = !info.open_ended();
  if (timed) {
    ShowOrder frames(path, info, options);
    auto wanted = time_of.lower_bound(0);
    for (int64_t index = 0; wanted != time_of.end(); ++index) {
      const auto pts = frames.next();
      if (!pts) break;
      if (index != wanted->first) continue;
      const Seconds exact = frames.time_of(*pts);
      const bool constant = std::abs((exact - by_rate(index)).count()) < kSameTime;
      (wanted++)->second = constant ? by_rate(index) : exact;
    }
    timed = frames.orderly();
  }
  if (!timed) {
    for (auto& [index, time] : time_of) {
      const bool exists =
          index >= 0 && (info.open_ended() || index < std::max<int64_t>(info.frames, 1));
      time = exists ? std::optional(by_rate(index)) : std::nullopt;
    }
  }
  std::vector<std::optional<Seconds>> times;
  times.reserve(indices.size());
  for (const int64_t index : indices) times.push_back(time_of.at(index));
  return times;
}

std::vector<std::optional<int64_t>> indices_of_frames(const std::filesystem::path& path,
                                                      const VideoInfo& info,
                                                      const std::vector<int64_t>& timestamps,
                                                      const ReaderOptions& options) {
  std::vector<std::optional<int64_t>> indices(timestamps.size());
  if (timestamps.empty() || info.open_ended()) return indices;
  std::map<int64_t, std::optional<int64_t>> index_of;
  for (const int64_t pts : timestamps) index_of[pts] = std::nullopt;
  ShowOrder frames(path, info, options);
  auto wanted = index_of.begin();
  for (int64_t index = 0; wanted != index_of.end(); ++index) {
    const auto pts = frames.next();
    if (!pts) break;
    while (wanted != index_of.end() && wanted->first < *pts) ++wanted;
    if (wanted != index_of.end() && wanted->first == *pts) (wanted++)->second = index;
  }
  if (!frames.orderly()) return indices;
  std::transform(timestamps.begin(), timestamps.end(), indices.begin(),
                 [&](int64_t pts) { return index_of.at(pts); });
  return indices;
}

}  // namespace moviechat
