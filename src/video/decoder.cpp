#include "video/decoder.h"

#include <algorithm>
#include <thread>

namespace moviechat {
namespace {

constexpr int64_t kMaxThreads = 16;
constexpr int kMaxErrorsInARow = 1000;

int thread_count(int64_t wanted) {
  if (wanted <= 0) wanted = std::max<int64_t>(std::thread::hardware_concurrency(), 1);
  return static_cast<int>(std::min(wanted, kMaxThreads));
}

}  // namespace

Decoder::Decoder(Demuxer& demuxer, const std::string& path, int64_t threads, ReadStats& stats)
    : demuxer_(&demuxer), path_(path), stats_(stats), packet_(av_allocated(av_packet_alloc())) {
  const AVStream& stream = demuxer.stream();
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (codec == nullptr) {
    throw InputError("'" + path + "' is coded as " + avcodec_get_name(stream.codecpar->codec_id) +
                     ", which this FFmpeg cannot decode; transcode it, to H.264 for one");
  }
  codec_.reset(av_allocated(avcodec_alloc_context3(codec)));
  av_check(avcodec_parameters_to_context(codec_.get(), stream.codecpar),
           "cannot set up the decoder of '" + path + "'");
  codec_->pkt_timebase = stream.time_base;
  codec_->framerate = stream.avg_frame_rate;
  codec_->thread_count = thread_count(threads);
  codec_->thread_type = FF_THREAD_FRAME | FF_THREAD_SLICE;
  codec_->max_pixels = kMaxPixels;
  const int code = avcodec_open2(codec_.get(), codec, nullptr);
  if (code < 0) {
    throw InputError("'" + path + "': its " + codec->name +
                     " stream cannot be decoded: " + av_reason(code));
  }
}

void Decoder::restart(Demuxer& demuxer, bool after_seek) {
  demuxer_ = &demuxer;
  avcodec_flush_buffers(codec_.get());
  high_water_ = std::max(high_water_, position_);
  position_ = INT64_MIN;
  whole_from_ = INT64_MIN;
  key_seen_ = false;
  wait_for_key_ = after_seek;
  // After an open group's key frame libavcodec may withhold even whole frames at the end of the
  // file; it gives and marks them with this flag.
  if (after_seek) {
    codec_->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
  } else {
    codec_->flags &= ~AV_CODEC_FLAG_OUTPUT_CORRUPT;
  }
  drained_ = false;
}

void Decoder::lost() {
  // Pictures before the first key frame refer to what is not there; that is no damage.
  if (!again_ && key_seen_) ++stats_.packets_lost;
}

void Decoder::feed() {
  while (demuxer_->read(*packet_)) {
    // An empty sample repeats the frame before it; no decoder takes it.
    if (packet_->size == 0 && packet_->side_data_elems == 0) continue;
    const bool key = (packet_->flags & AV_PKT_FLAG_KEY) != 0;
    if (packet_->pts == AV_NOPTS_VALUE) timed_ = false;
    if (key && !key_seen_) {
      key_seen_ = true;
      if (wait_for_key_) whole_from_ = packet_->pts;
    }
    if (wait_for_key_ && !key_seen_) continue;
    const int64_t time = packet_->dts != AV_NOPTS_VALUE ? packet_->dts : packet_->pts;
    if (time != AV_NOPTS_VALUE) position_ = std::max(position_, time);
    again_ = time != AV_NOPTS_VALUE && time <= high_water_;
    if (!again_) ++stats_.packets_read;
    const int code = avcodec_send_packet(codec_.get(), packet_.get());
    if (code == AVERROR(ENOMEM)) throw Error("out of memory while decoding '" + path_ + "'");
    if (code >= 0) return;
    lost();
  }
  avcodec_send_packet(codec_.get(), nullptr);
  drained_ = true;
}

FramePtr Decoder::next() {
  FramePtr frame(av_allocated(av_frame_alloc()));
  int errors = 0;
  while (true) {
    const int code = avcodec_receive_frame(codec_.get(), frame.get());
    if (code == AVERROR_EOF) return nullptr;
    if (code == AVERROR(ENOMEM)) throw Error("out of memory while decoding '" + path_ + "'");
    if (code == AVERROR(EAGAIN)) {
      if (drained_) return nullptr;
      feed();
    } else if (code < 0) {
      lost();
      if (drained_ && ++errors > kMaxErrorsInARow) return nullptr;
    } else {
      ++stats_.frames_decoded;
      const bool marked = !wait_for_key_ && (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0;
      const bool concealed = marked || frame->decode_error_flags != 0;
      if (concealed && !again_ && key_seen_) ++stats_.frames_repaired;
      return frame;
    }
  }
}

}  // namespace moviechat
