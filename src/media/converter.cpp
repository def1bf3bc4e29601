#include "media/converter.h"

#include <cstring>

namespace moviechat {
namespace {

constexpr int64_t kAlign = 64;

int64_t padded_stride(int64_t width) { return (width * 3 + 2 * kAlign - 1) / kAlign * kAlign; }

}  // namespace

Converter::Converter(int64_t width, int64_t height, ResizeFilter filter)
    : width_(width),
      height_(height),
      target_{width, height, AV_PIX_FMT_RGB24,
              filter == ResizeFilter::bilinear ? SWS_BILINEAR : SWS_BICUBIC} {}

// The scaler treats rows and columns differently, so pictures are transposed before it, as ffmpeg
// does; where their format has no transposed form, they get one chroma sample a pixel first.
const AVFrame& Converter::turn(const AVFrame& frame, const Orientation& orientation) {
  const AVFrame* source = &frame;
  if (!can_transpose(frame)) {
    const AVPixelFormat format = full_chroma_format(frame);
    make_frame(turnable_, frame.width, frame.height, format, frame);
    full_chroma_.scale(frame, {frame.width, frame.height, format, SWS_BICUBIC}, turnable_->data,
                       turnable_->linesize);
    source = turnable_.get();
  }
  transpose(*source, orientation, turned_);
  return *turned_;
}

void Converter::convert(const AVFrame& frame, const Orientation& orientation) {
  const AVFrame& upright = orientation.transpose ? turn(frame, orientation) : frame;
  const int64_t stride = padded_stride(width_);
  rows_.resize(static_cast<size_t>(stride * height_ + 2 * kAlign));
  const auto address = reinterpret_cast<uintptr_t>(rows_.data());
  scaled_ = rows_.data() + (kAlign - address % kAlign) % kAlign;
  uint8_t* const planes[4] = {scaled_, nullptr, nullptr, nullptr};
  const int strides[4] = {static_cast<int>(stride), 0, 0, 0};
  scaler_.scale(upright, target_, planes, strides);
  orientation_ = orientation;
}

void Converter::pack(std::span<uint8_t> rgb) const {
  const int64_t stride = padded_stride(width_);
  const bool mirror_rows = orientation_.mirror_rows && !orientation_.transpose;
  const bool mirror_columns = orientation_.mirror_columns && !orientation_.transpose;
  const auto row_bytes = static_cast<size_t>(width_ * 3);
  for (int64_t y = 0; y < height_; ++y) {
    const uint8_t* from = scaled_ + (mirror_rows ? height_ - 1 - y : y) * stride;
    uint8_t* to = rgb.data() + static_cast<size_t>(y) * row_bytes;
    if (!mirror_columns) {
      std::memcpy(to, from, row_bytes);
      continue;
    }
    for (int64_t x = 0; x < width_; ++x) std::memcpy(to + x * 3, from + (width_ - 1 - x) * 3, 3);
  }
}

}  // namespace moviechat
