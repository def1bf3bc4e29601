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
      repeatable_(!is_intra_only(demuxer.stream().codecpar->codec_id)),
      fast_(make_codec(thread_count(options.threads),
                       repeatable_ ? Codec::Errors::told : Codec::Errors::concealed)) {}

Codec Decoder::make_codec(int threads, Codec::Errors errors) const {
  return {demuxer_->stream(), path_,
          Codec::Options{.threads = threads,
                         .max_pixels = max_pixels_,
                         .errors = errors,
                         .untimed = demuxer_->untimed()}};
}

size_t Decoder::most_ahead() const {
  const int reorder = std::max(demuxer_->stream().codecpar->video_delay, 1);
  return repeatable_ ? static_cast<size_t>(reorder + 1) : 0;
}

void Decoder::restart(Demuxer& demuxer, bool after_seek) {
  demuxer_ = &demuxer;
  fast_.restart(after_seek);
  history_.clear();
  high_water_ = std::max(high_water_, reading_.position);
  reading_ = {.wait_for_key = after_seek};
  decoding_ = {};
  decoding_.fed = decoding_.errors_counted = history_.end();
  decoding_.unsure = after_seek;
  output_ = {};
}

// ---- packets

bool Decoder::read_packet() {
  PacketPtr packet(av_allocated(av_packet_alloc()));
  while (!reading_.read_out && demuxer_->read(*packet)) {
    // An empty sample repeats the frame before it; no decoder takes it.
    if (packet->size == 0 && packet->side_data_elems == 0) continue;
    const bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    if (packet->pts == AV_NOPTS_VALUE) timed_ = false;
    if (key && !reading_.key_read) {
      reading_.key_read = true;
      if (reading_.wait_for_key) reading_.whole_from = packet->pts;
    } else if (reading_.wait_for_key && packet->pts < reading_.whole_from) {
      ++reading_.leading;
    }
    if (reading_.wait_for_key && !reading_.key_read) continue;
    const int64_t time = packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts;
    if (time != AV_NOPTS_VALUE) reading_.position = std::max(reading_.position, time);
    const bool again = time != AV_NOPTS_VALUE && time <= high_water_;
    if (!again) ++stats_.packets_read;
    history_.add(std::move(packet), again);
    return true;
  }
  reading_.read_out = true;
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
  while (decoding_.fed < history_.end() || read_packet()) {
    const bool key = (history_.at(decoding_.fed).packet->flags & AV_PKT_FLAG_KEY) != 0;
    if (decoding_.careful && key && decoding_.key_fed && decoding_.fed >= decoding_.careful_until &&
        refers_to_nothing_before(decoding_.fed)) {
      decoding_.careful->drain();
      decoding_.leaving = true;
      return;
    }
    const PacketHistory::Entry& entry = history_.at(decoding_.fed++);
    decoding_.key_fed = decoding_.key_fed || key;
    decoding_.again = entry.again;
    const bool sent = codec().send(*entry.packet);
    if (!repeatable_) history_.clear();
    if (sent) return;
    if (!decoding_.careful && decode_again()) continue;
    lost();
  }
  codec().drain();
  decoding_.drained = true;
}

// ---- frames

FramePtr Decoder::next() {
  while (!decoding_.ended && output_.ready.size() <= most_ahead()) decode_on();
  if (output_.ready.empty()) return nullptr;
  FramePtr frame = std::move(output_.ready.front().frame);
  if (output_.ready.front().repaired) ++stats_.frames_repaired;
  output_.ready.pop_front();
  ++stats_.frames_decoded;
  output_.given = identity(*frame);
  output_.any_given = true;
  return frame;
}

void Decoder::decode_on() {
  FramePtr frame(av_allocated(av_frame_alloc()));
  switch (codec().receive(*frame)) {
    case Codec::Answer::frame:
      take(std::move(frame));
      return;
    case Codec::Answer::more:
      if (decoding_.drained) {
        decoding_.ended = true;
      } else {
        feed();
      }
      return;
    case Codec::Answer::error:
      if (!decoding_.careful && decode_again()) return;
      lost();
      if (decoding_.drained && ++decoding_.errors_at_end > kMaxErrorsAtEnd) decoding_.ended = true;
      return;
    case Codec::Answer::end:
      if (!decoding_.leaving) {
        decoding_.ended = true;
        return;
      }
      decoding_.leaving = false;
      decoding_.careful.reset();
      decoding_.unsure = reading_.wait_for_key;
      fast_.restart(decoding_.unsure);
      return;
  }
}

void Decoder::take(FramePtr frame) {
  const bool marked = !decoding_.unsure && (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0;
  const bool concealed = marked || frame->decode_error_flags != 0;
  if (concealed && !decoding_.careful && decode_again()) return;
  // Left out by an edit list. FFmpeg 5's decoders of motion JPEG and AV1 return such frames.
  if ((frame->flags & AV_FRAME_FLAG_DISCARD) != 0) return;
  if (output_.skip_until) {
    const int64_t time = identity(*frame).value_or(*output_.skip_until + 1);
    const bool given = time <= *output_.skip_until;
    if (time >= *output_.skip_until) output_.skip_until.reset();
    if (given) return;
  }
  output_.ready.push_back({std::move(frame), concealed && !decoding_.again && decoding_.key_fed});
}

void Decoder::lost() {
  const bool counted = decoding_.fed <= decoding_.errors_counted;
  decoding_.errors_counted = std::max(decoding_.errors_counted, decoding_.fed);
  // Pictures before the first key frame refer to what is not there; that is no damage.
  if (!counted && !decoding_.again && decoding_.key_fed) ++stats_.packets_lost;
}

/// Goes back to where the pictures that are to be given next begin, as far as packets are held, and
/// on with a single thread. True, too, for an error that is none: of pictures that refer to what a
/// seek has left out. False when it makes no difference or cannot be done.
bool Decoder::decode_again() {
  if (!repeatable_ || (output_.any_given && !output_.given)) return false;
  if (decoding_.excused < reading_.leading) {
    ++decoding_.excused;
    return true;
  }
  const std::optional<int64_t> start = history_.start_of(output_.given);
  decoding_.careful.emplace(make_codec(1, Codec::Errors::concealed));
  decoding_.unsure = reading_.wait_for_key || output_.any_given;
  decoding_.careful->restart(decoding_.unsure);
  decoding_.careful_until = decoding_.fed;
  if (start) {
    decoding_.fed = *start;
    decoding_.key_fed = false;
    output_.ready.clear();
    output_.skip_until = output_.given;
  }
  decoding_.drained = decoding_.ended = false;
  return true;
}

}  // namespace moviechat
