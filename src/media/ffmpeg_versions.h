#pragma once

// Functions that have other names in FFmpeg 5.1 than in 8. The rest of the code uses nothing
// deprecated.
#include <span>

#include "media/ffmpeg.h"

namespace moviechat {

/// How long a decoded frame is shown, in the stream's time base; 0 when unknown.
inline int64_t frame_duration(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)  // FFmpeg 6.0
  return frame.duration;
#else
  return frame.pkt_duration;
#endif
}

/// Bytes that a container says of a whole stream; empty when it says none of this kind.
inline std::span<const uint8_t> stream_side_data(const AVStream& stream,
                                                 AVPacketSideDataType type) {
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)  // FFmpeg 6.1
  const AVPacketSideData* found = av_packet_side_data_get(
      stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, type);
  if (found == nullptr) return {};
  return {found->data, found->size};
#else
  size_t size = 0;
  const uint8_t* data = av_stream_get_side_data(&stream, type, &size);
  return {data, data == nullptr ? 0 : size};
#endif
}

}  // namespace moviechat
