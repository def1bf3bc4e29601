#pragma once

#include <cstdint>

#include "media/ffmpeg.h"

namespace moviechat {

/// Size and format of scaled frames, and the filter.
struct ScalerTarget {
  int64_t width = 0;
  int64_t height = 0;
  AVPixelFormat format = AV_PIX_FMT_RGB24;
  int filter = SWS_BILINEAR;
  bool operator==(const ScalerTarget&) const = default;
};

/// One libswscale context: frames of any size and pixel format → frames of one, resized and colour
/// converted in one pass, set up as ffmpeg's scale filter does it. Remade when frames change.
class Scaler {
 public:
  /// `planes` and `strides` as of av_image_fill_arrays, padded as libswscale wants it.
  void scale(const AVFrame& frame, const ScalerTarget& target, uint8_t* const planes[4],
             const int strides[4]);

 private:
  struct Source {
    int width = 0, height = 0, format = -1, color_matrix = 0, color_range = 0;
    bool operator==(const Source&) const = default;
  };
  void make(const Source& source, const ScalerTarget& target);

  Source source_;
  ScalerTarget target_;
  ScalerPtr context_;
};

}  // namespace moviechat
