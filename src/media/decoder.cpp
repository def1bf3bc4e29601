#include "media/decoder.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "media/key_packets.h"

namespace moviechat {
namespace {

constexpr int64_t kMaxThreads = 16;
constexpr int kMaxErrorsAtEnd = 1000;

int thread_count(int64_t wanted) {
  if (wanted <= 0) wanted = std::max<int64_t>(std::thread::hardware_concurrency(), 1);
  return static_cast<int>(std::min(wanted, kMaxThreads));
}

/// What tells one frame from those around it; nullopt where the file has no timestamps.
std::optional<int64_t> identity(const AVFrame& frame) {
  const int64_t time = frame.pts != AV_NOPTS_VALUE ? frame.pts : frame.pkt_dts;
  return time == AV_NOPTS_VALUE ? std::nullopt : std::optional(time);
}

}  // namespace

Decoder::Decoder(Demuxer& demuxer, const std::string& path, const ReaderOptions& options,
                 ReadStats& stats)
    : demuxer_(&demuxer),
      path_(path),
      max_pixels_(options.max_pixels),
      stats_(stats),
      packet_(av_allocated(av_packet_alloc())),
      repeatable_(!is_intra_only(demuxer.stream().codecpar->codec_id)),
      fast_(demuxer.stream(), path,
            {.threads = thread_count(options.threads),
             .max_pixels = max_pixels_,
             .errors = repeatable_ ? Codec::Errors::told : Codec::Errors::concealed,
             .untimed = demuxer.untimed()}) {
  const int64_t reorder = std::max(demuxer.stream().codecpar->video_delay, 1);
  if (repeatable_) most_ahead_ = static_cast<size_t>(reorder + 1);
}

void Decoder::restart(Demuxer& demuxer, bool after_seek) {
  demuxer_ = &demuxer;
  careful_.reset();
  leaving_ = false;
  fast_.restart(after_seek);
  history_.clear();
  fed_ = errors_counted_ = history_.end();
  ready_.clear();
  given_.reset();
  any_given_ = false;
  skip_until_.reset();
  high_water_ = std::max(high_water_, position_);
  position_ = INT64_MIN;
  whole_from_ = INT64_MIN;
  key_read_ = key_fed_ = false;
  wait_for_key_ = unsure_ = after_seek;
  leading_ = excused_ = 0;
  drained_ = ended_ = read_out_ = false;
}

// ---- packets

bool Decoder::read_packet() {
  while (!read_out_ && demuxer_->read(*packet_)) {
    // An empty sample repeats the frame before it; no decoder takes it.
    if (packet_->size == 0 && packet_->side_data_elems == 0) continue;
    const bool key = (packet_->flags & AV_PKT_FLAG_KEY) != 0;
    if (packet_->pts == AV_NOPTS_VALUE) timed_ = false;
    if (key && !key_read_) {
      key_read_ = true;
      if (wait_for_key_) whole_from_ = packet_->pts;
    } else if (wait_for_key_ && packet_->pts < whole_from_) {
      ++leading_;
    }
    if (wait_for_key_ && !key_read_) continue;
    const int64_t time = packet_->dts != AV_NOPTS_VALUE ? packet_->dts : packet_->pts;
    if (time != AV_NOPTS_VALUE) position_ = std::max(position_, time);
    const bool again = time != AV_NOPTS_VALUE && time <= high_water_;
    if (!again) ++stats_.packets_read;
    PacketPtr packet(av_allocated(av_packet_alloc()));
    av_packet_move_ref(packet.get(), packet_.get());
    history_.add(std::move(packet), again);
    return true;
  }
  read_out_ = true;
  return false;
}

/// No picture from the key packet of that number on refers to one before it.
bool Decoder::refers_to_nothing_before(int64_t key) {
  constexpr int64_t kDeepestReorder = 16;  // packets; of H.264 and HEVC
  const int64_t shown = history_.at(key).packet->pts;
  if (shown == AV_NOPTS_VALUE) return false;
  if (!starts_anew(*history_.at(key).packet, *demuxer_->stream().codecpar)) return false;
  for (int64_t next = key + 1; next <= key + kDeepestReorder; ++next) {
    if (next >= history_.end() && !read_packet()) break;
    const AVPacket& packet = *history_.at(next).packet;
    if ((packet.flags & AV_PKT_FLAG_KEY) != 0) break;
    if (packet.pts == AV_NOPTS_VALUE || packet.pts < shown) return false;
  }
  return true;
}

void Decoder::feed() {
  while (fed_ < history_.end() || read_packet()) {
    const bool key = (history_.at(fed_).packet->flags & AV_PKT_FLAG_KEY) != 0;
    if (careful_ && key && key_fed_ && fed_ >= careful_until_ && refers_to_nothing_before(fed_)) {
      careful_->drain();
      leaving_ = true;
      return;
    }
    const PacketHistory::Entry& entry = history_.at(fed_++);
    key_fed_ = key_fed_ || key;
    again_ = entry.again;
    const bool sent = codec().send(*entry.packet);
    if (!repeatable_) history_.clear();
    if (sent) return;
    if (!careful_ && decode_again()) continue;
    lost();
  }
  codec().drain();
  drained_ = true;
}

// ---- frames

FramePtr Decoder::next() {
  while (!ended_ && ready_.size() <= most_ahead_) decode_on();
  if (ready_.empty()) return nullptr;
  FramePtr frame = std::move(ready_.front().frame);
  if (ready_.front().repaired) ++stats_.frames_repaired;
  ready_.pop_front();
  ++stats_.frames_decoded;
  given_ = identity(*frame);
  any_given_ = true;
  return frame;
}

void Decoder::decode_on() {
  FramePtr frame(av_allocated(av_frame_alloc()));
  switch (codec().receive(*frame)) {
    case Codec::Answer::frame:
      take(std::move(frame));
      return;
    case Codec::Answer::more:
      if (drained_) {
        ended_ = true;
      } else {
        feed();
      }
      return;
    case Codec::Answer::error:
      if (!careful_ && decode_again()) return;
      lost();
      if (drained_ && ++errors_at_end_ > kMaxErrorsAtEnd) ended_ = true;
      return;
    case Codec::Answer::end:
      if (!leaving_) {
        ended_ = true;
        return;
      }
      leaving_ = false;
      careful_.reset();
      unsure_ = wait_for_key_;
      fast_.restart(unsure_);
      return;
  }
}

void Decoder::take(FramePtr frame) {
  const bool marked = !unsure_ && (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0;
  const bool concealed = marked || frame->decode_error_flags != 0;
  if (concealed && !careful_ && decode_again()) return;
  // Left out by an edit list. FFmpeg 5's decoders of motion JPEG and AV1 return such frames.
  if ((frame->flags & AV_FRAME_FLAG_DISCARD) != 0) return;
  if (skip_until_) {
    const int64_t time = identity(*frame).value_or(*skip_until_ + 1);
    const bool given = time <= *skip_until_;
    if (time >= *skip_until_) skip_until_.reset();
    if (given) return;
  }
  ready_.push_back({std::move(frame), concealed && !again_ && key_fed_});
}

void Decoder::lost() {
  const bool counted = fed_ <= errors_counted_;
  errors_counted_ = std::max(errors_counted_, fed_);
  // Pictures before the first key frame refer to what is not there; that is no damage.
  if (!counted && !again_ && key_fed_) ++stats_.packets_lost;
}

/// Goes back to where the pictures that are to be given next begin, as far as packets are held, and
/// on with a single thread. True, too, for an error that is none: of pictures that refer to what a
/// seek has left out. False when it makes no difference or cannot be done.
bool Decoder::decode_again() {
  if (!repeatable_ || (any_given_ && !given_)) return false;
  if (excused_ < leading_) {
    ++excused_;
    return true;
  }
  const std::optional<int64_t> start = history_.start_of(given_);
  careful_.emplace(demuxer_->stream(), path_,
                   Codec::Options{.threads = 1,
                                  .max_pixels = max_pixels_,
                                  .errors = Codec::Errors::concealed,
                                  .untimed = demuxer_->untimed()});
  unsure_ = wait_for_key_ || any_given_;
  careful_->restart(unsure_);
  careful_until_ = fed_;
  if (start) {
    fed_ = *start;
    key_fed_ = false;
    ready_.clear();
    skip_until_ = given_;
  }
  drained_ = ended_ = false;
  return true;
}

}  // namespace moviechat
