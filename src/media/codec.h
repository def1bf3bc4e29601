#pragma once

#include <cstdint>
#include <string>

#include "media/ffmpeg.h"

namespace moviechat {

/// A decoder of libavcodec's for one stream. One thread at a time.
class Codec {
 public:
  enum class Answer { frame, more, end, error };

  /// Treatment of a picture with an error: `concealed` gives what is left of it, with the gaps
  /// filled from others and decode_error_flags set; `told` always gives Answer::error. Of several
  /// threads, one may have given a picture before another found its error, so that only the latter
  /// is sure to be told.
  enum class Errors { concealed, told };

  /// Options of a decoder.
  struct Options {
    int threads = 1;  // at least 1
    int64_t max_pixels = 0;
    Errors errors = Errors::concealed;
    bool untimed = false;  // a raw stream, of which FFmpeg guesses the rate
  };

  /// InputError when there is no decoder for the stream; `path` is its file.
  Codec(const AVStream& stream, const std::string& path, const Options& options);

  /// Whether the frames so far leave the rate of a raw stream open.
  bool lacks_rate() const { return context_->framerate.num <= 0; }

  /// False when the packet cannot be decoded. Takes it as long as receive() said more before.
  bool send(const AVPacket& packet);
  /// Ends the packets, so that receive() gives the frames that are left.
  void drain();
  /// The next frame in order of show; `more` when a packet is needed first.
  Answer receive(AVFrame& frame);
  /// Forgets all packets. `keep_unsure`: gives frames, too, that may lack what they refer to,
  /// marked as corrupt: after an open group's key frame libavcodec may withhold even whole frames.
  void restart(bool keep_unsure);

 private:
  CodecContextPtr context_;
  std::string path_;
};

}  // namespace moviechat
