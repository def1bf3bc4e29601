#include "media/scaler.h"
#include "base/message.h"

namespace moviechat {
namespace {

constexpr int kMpeg2ChromaRow = 128;  // in 1/256 of a pixel: between two luma rows

// reference: vf_scale, which takes BT.601 for RGB and for matrices that libswscale does not know.
int known_matrix(int matrix) {
  constexpr int kYCgCo = 8;
  const bool known = matrix >= 1 && matrix <= 10 && matrix != kYCgCo;
  return known ? matrix : AVCOL_SPC_BT470BG;
}

bool is_rgb(AVPixelFormat format) {
  const AVPixFmtDescriptor* layout = av_pix_fmt_desc_get(format);
  return layout != nullptr && (layout->flags & AV_PIX_FMT_FLAG_RGB) != 0;
}

}  // namespace

void Scaler::make(const Source& source, const ScalerTarget& target) {
  const auto format = static_cast<AVPixelFormat>(source.format);
  if (sws_isSupportedInput(format) == 0) {
    throw input_error(
        "video pixel format {} cannot be converted to RGB; transcode the video, to yuv420p for one",
        name_or_empty(av_get_pix_fmt_name(format)));
  }
  context_.reset(av_allocated(sws_alloc_context()));
  const auto set = [&](const char* key, int64_t value) {
    av_check(av_opt_set_int(context_.get(), key, value, 0), "cannot set up the video scaler");
  };
  set("srcw", source.width);
  set("srch", source.height);
  set("src_format", source.format);
  set("dstw", target.width);
  set("dsth", target.height);
  set("dst_format", target.format);
  set("sws_flags", target.filter);
  // reference: vf_scale's override for MPEG-2's chroma positions
  if (format == AV_PIX_FMT_YUV420P) set("src_v_chr_pos", kMpeg2ChromaRow);
  av_check(sws_init_context(context_.get(), nullptr, nullptr), "cannot set up the video scaler");

  int* matrix = nullptr;
  int* target_matrix = nullptr;
  int full = 0, target_full = 0, brightness = 0, contrast = 0, saturation = 0;
  if (sws_getColorspaceDetails(context_.get(), &matrix, &full, &target_matrix, &target_full,
                               &brightness, &contrast, &saturation) >= 0) {
    if (source.color_range != AVCOL_RANGE_UNSPECIFIED) {
      full = source.color_range == AVCOL_RANGE_JPEG ? 1 : 0;
    }
    const int* known = sws_getCoefficients(known_matrix(source.color_matrix));
    const bool keep = !is_rgb(target.format);  // the same colours in another layout
    sws_setColorspaceDetails(context_.get(), known, full, keep ? known : target_matrix,
                             keep ? full : target_full, brightness, contrast, saturation);
  }
  source_ = source;
  target_ = target;
}

void Scaler::scale(const AVFrame& frame, const ScalerTarget& target, uint8_t* const planes[4],
                   const int strides[4]) {
  const Source source{frame.width, frame.height, frame.format, color_matrix(frame),
                      color_range(frame)};
  if (!context_ || source != source_ || target != target_) make(source, target);
  av_check(sws_scale(context_.get(), frame.data, frame.linesize, 0, frame.height, planes, strides),
           "cannot convert a video frame");
}

}  // namespace moviechat
