#include "media/video_info.h"

#include "media/ffmpeg_versions.h"
#include "media/film_length.h"

namespace moviechat {

VideoInfo describe_video(const Demuxer& demuxer, const AVFrame& first, int64_t first_pts) {
  const AVStream& stream = demuxer.stream();
  const Orientation orientation = orientation_of(first, stream);
  VideoInfo info;
  info.container = demuxer.container();
  info.codec = avcodec_get_name(stream.codecpar->codec_id);
  info.width = orientation.transpose ? first.height : first.width;
  info.height = orientation.transpose ? first.width : first.height;
  info.rotation = orientation.degrees;
  info.fps = stated_rate(stream);
  info.start = Seconds(static_cast<double>(first_pts) * av_q2d(stream.time_base));
  const auto format = static_cast<AVPixelFormat>(first.format);
  info.pixel_format = name_or_empty(av_get_pix_fmt_name(format));
  const AVPixFmtDescriptor* layout = av_pix_fmt_desc_get(format);
  if (layout != nullptr) info.bit_depth = layout->comp[0].depth;
  if (color_range(first) != AVCOL_RANGE_UNSPECIFIED) {
    info.color_range = name_or_empty(av_color_range_name(color_range(first)));
  }
  if (color_matrix(first) != AVCOL_SPC_UNSPECIFIED) {
    info.color_matrix = name_or_empty(av_color_space_name(color_matrix(first)));
  }
  if (color_transfer(first) != AVCOL_TRC_UNSPECIFIED) {
    info.color_transfer = name_or_empty(av_color_transfer_name(color_transfer(first)));
  }
  if (color_primaries(first) != AVCOL_PRI_UNSPECIFIED) {
    info.color_primaries = name_or_empty(av_color_primaries_name(color_primaries(first)));
  }
  return info;
}

bool is_hdr(const AVFrame& frame) {
  const AVColorTransferCharacteristic transfer = color_transfer(frame);
  return transfer == AVCOL_TRC_SMPTE2084 || transfer == AVCOL_TRC_ARIB_STD_B67;
}

Orientation orientation_of(const AVFrame& frame, const AVStream& stream) {
  constexpr size_t kMatrixBytes = 9 * sizeof(int32_t);
  const AVFrameSideData* own = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  if (own != nullptr && own->size >= kMatrixBytes) {
    return orientation_of(reinterpret_cast<const int32_t*>(own->data));
  }
  const auto matrix = stream_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX);
  return orientation_of(
      matrix.size() >= kMatrixBytes ? reinterpret_cast<const int32_t*>(matrix.data()) : nullptr);
}

}  // namespace moviechat
