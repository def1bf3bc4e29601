#include "video/converter.h"

#include <cmath>
#include <cstring>

namespace moviechat {
namespace {

constexpr int64_t kAlign = 64;
constexpr int kMpeg2ChromaRow = 128;  // in 1/256 of a pixel: between two luma rows

int64_t padded_stride(int64_t width) { return (width * 3 + 2 * kAlign - 1) / kAlign * kAlign; }

// reference: vf_scale, which takes BT.601 for RGB and for matrices that libswscale does not know.
int known_matrix(int matrix) {
  constexpr int kYCgCo = 8;
  const bool known = matrix >= 1 && matrix <= 10 && matrix != kYCgCo;
  return known ? matrix : AVCOL_SPC_BT470BG;
}

}  // namespace

// reference: ffmpeg's automatic rotation, which chooses among its transpose, hflip and vflip.
Orientation orientation_of(const int32_t* matrix) {
  Orientation turn;
  if (matrix == nullptr) return turn;
  double theta = -std::round(av_display_rotation_get(matrix));
  if (!std::isfinite(theta)) return turn;
  theta -= 360 * std::floor(theta / 360 + 0.9 / 360);
  turn.degrees = static_cast<int64_t>(theta) % 360;
  if (std::abs(theta - 90) < 1) {
    turn.transpose = true;
    turn.mirror_rows = matrix[3] <= 0;
  } else if (std::abs(theta - 270) < 1) {
    turn.transpose = true;
    turn.mirror_columns = true;
    turn.mirror_rows = matrix[3] < 0;
  } else if (std::abs(theta - 180) < 1) {
    turn.mirror_columns = matrix[0] < 0;
    turn.mirror_rows = matrix[4] < 0;
  } else if (std::abs(theta) > 1) {
    turn.oblique = true;
  } else {
    turn.mirror_rows = matrix[4] < 0;
  }
  return turn;
}

Converter::Converter(int64_t width, int64_t height, ResizeFilter filter)
    : width_(width), height_(height), filter_(filter) {}

void Converter::make_scaler(const Source& source) {
  const auto format = static_cast<AVPixelFormat>(source.format);
  if (sws_isSupportedInput(format) == 0) {
    throw InputError("video pixel format " + name_or_empty(av_get_pix_fmt_name(format)) +
                     " cannot be converted to RGB; transcode the video, to yuv420p for one");
  }
  scaler_.reset(av_allocated(sws_alloc_context()));
  const auto set = [&](const char* key, int64_t value) {
    av_check(av_opt_set_int(scaler_.get(), key, value, 0), "cannot set up the video scaler");
  };
  set("srcw", source.width);
  set("srch", source.height);
  set("src_format", source.format);
  set("dstw", source.transposed ? height_ : width_);
  set("dsth", source.transposed ? width_ : height_);
  set("dst_format", AV_PIX_FMT_RGB24);
  set("sws_flags", filter_ == ResizeFilter::bilinear ? SWS_BILINEAR : SWS_BICUBIC);
  // reference: vf_scale's override for MPEG-2's chroma positions
  if (format == AV_PIX_FMT_YUV420P) set("src_v_chr_pos", kMpeg2ChromaRow);
  av_check(sws_init_context(scaler_.get(), nullptr, nullptr), "cannot set up the video scaler");

  int* matrix = nullptr;
  int* rgb_matrix = nullptr;
  int full = 0, rgb_full = 0, brightness = 0, contrast = 0, saturation = 0;
  if (sws_getColorspaceDetails(scaler_.get(), &matrix, &full, &rgb_matrix, &rgb_full, &brightness,
                               &contrast, &saturation) >= 0) {
    if (source.color_range != AVCOL_RANGE_UNSPECIFIED) {
      full = source.color_range == AVCOL_RANGE_JPEG ? 1 : 0;
    }
    sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(known_matrix(source.color_matrix)),
                             full, rgb_matrix, rgb_full, brightness, contrast, saturation);
  }
  source_ = source;
}

void Converter::convert(const AVFrame& frame, const Orientation& orientation,
                        std::span<uint8_t> rgb) {
  const Source source{frame.width,      frame.height,      frame.format,
                      frame.colorspace, frame.color_range, orientation.transpose};
  if (!scaler_ || source != source_) make_scaler(source);

  const int64_t columns = orientation.transpose ? height_ : width_;
  const int64_t rows = orientation.transpose ? width_ : height_;
  const int64_t stride = padded_stride(columns);
  rows_.resize(static_cast<size_t>(stride * rows + 2 * kAlign));
  const auto address = reinterpret_cast<uintptr_t>(rows_.data());
  uint8_t* const scaled = rows_.data() + (kAlign - address % kAlign) % kAlign;

  uint8_t* const planes[4] = {scaled, nullptr, nullptr, nullptr};
  const int strides[4] = {static_cast<int>(stride), 0, 0, 0};
  av_check(sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, planes, strides),
           "cannot convert a video frame");

  const auto row_bytes = static_cast<size_t>(width_ * 3);
  if (!orientation.transpose && !orientation.mirror_columns) {
    for (int64_t y = 0; y < height_; ++y) {
      const int64_t from = orientation.mirror_rows ? height_ - 1 - y : y;
      std::memcpy(rgb.data() + static_cast<size_t>(y) * row_bytes, scaled + from * stride,
                  row_bytes);
    }
    return;
  }
  uint8_t* out = rgb.data();
  for (int64_t y = 0; y < height_; ++y) {
    for (int64_t x = 0; x < width_; ++x, out += 3) {
      int64_t row = orientation.transpose ? x : y;
      int64_t column = orientation.transpose ? y : x;
      if (orientation.mirror_rows) row = rows - 1 - row;
      if (orientation.mirror_columns) column = columns - 1 - column;
      std::memcpy(out, scaled + row * stride + column * 3, 3);
    }
  }
}

}  // namespace moviechat
