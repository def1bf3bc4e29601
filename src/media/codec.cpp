#include "media/codec.h"

#include "base/message.h"

namespace moviechat {

Codec::Codec(const AVStream& stream, const std::string& path, const Options& options)
    : path_(path) {
  const AVCodecID id = stream.codecpar->codec_id;
  const AVCodec* codec = avcodec_find_decoder(id);
  if (codec == nullptr) {
    throw input_error(
        "'{}' is coded as {}, which this FFmpeg cannot decode; transcode it, to H.264 for one",
        path, avcodec_get_name(id));
  }
  context_.reset(av_allocated(avcodec_alloc_context3(codec)));
  av_check(avcodec_parameters_to_context(context_.get(), stream.codecpar),
           fmt::format("cannot set up the decoder of '{}'", path));
  context_->pkt_timebase = stream.time_base;
  // What a raw stream says itself is found with the first frame.
  context_->framerate = options.untimed ? AVRational{0, 1} : stream.avg_frame_rate;
  context_->thread_count = options.threads;
  context_->thread_type = FF_THREAD_FRAME | FF_THREAD_SLICE;
  // Other decoders tell errors without it, and some of FFmpeg 5's abort with it.
  const bool told = options.errors == Errors::told;
  if (told && id == AV_CODEC_ID_H264) context_->err_recognition |= AV_EF_EXPLODE;
  context_->max_pixels = options.max_pixels;
  const int code = avcodec_open2(context_.get(), codec, nullptr);
  if (code == AVERROR(ENOMEM) || code == AVERROR(EAGAIN)) {
    throw OutOfResources(
        fmt::format("cannot decode '{}': out of {}", path,
                    code == AVERROR(ENOMEM) ? "memory" : "threads; raise the limit"));
  }
  if (code < 0) {
    throw input_error("'{}': its {} stream cannot be decoded: {}", path, codec->name,
                      av_reason(code));
  }
}

bool Codec::send(const AVPacket& packet) {
  const int code = avcodec_send_packet(context_.get(), &packet);
  if (code == AVERROR(ENOMEM)) throw_out_of_memory("decoding", path_);
  return code >= 0;
}

void Codec::drain() { avcodec_send_packet(context_.get(), nullptr); }

Codec::Answer Codec::receive(AVFrame& frame) {
  const int code = avcodec_receive_frame(context_.get(), &frame);
  if (code == AVERROR(ENOMEM)) throw_out_of_memory("decoding", path_);
  if (code == AVERROR_EOF) return Answer::end;
  if (code == AVERROR(EAGAIN)) return Answer::more;
  return code < 0 ? Answer::error : Answer::frame;
}

void Codec::restart(bool keep_unsure) {
  avcodec_flush_buffers(context_.get());
  if (keep_unsure) {
    context_->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
  } else {
    context_->flags &= ~AV_CODEC_FLAG_OUTPUT_CORRUPT;
  }
}

}  // namespace moviechat
