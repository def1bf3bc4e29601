#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "moviechat/video/frame_reader.h"
#include "video/ffmpeg.h"

namespace moviechat {

/// How stored pictures are turned for showing: transposed first, then mirrored.
struct Orientation {
  bool transpose = false;
  bool mirror_rows = false;     // of the stored picture: read from its last row
  bool mirror_columns = false;  // of the stored picture: read from its last column
  int64_t degrees = 0;          // clockwise, as the file states it
  bool oblique = false;         // not a multiple of 90°: shown unturned

  bool upright() const { return !transpose && !mirror_rows && !mirror_columns; }
};

/// What a display matrix (nine 16.16 numbers) asks for; nullptr is upright.
Orientation orientation_of(const int32_t* matrix);

/// Decoded frames of any size and pixel format → packed RGB of one size, by libswscale in one pass
/// of resizing and colour conversion, as ffmpeg's scale filter does it. Remakes its scaler when
/// frames change. One thread at a time.
class Converter {
 public:
  /// width × height: as shown, after turning.
  Converter(int64_t width, int64_t height, ResizeFilter filter);

  /// rgb [height, width, 3]
  void convert(const AVFrame& frame, const Orientation& orientation, std::span<uint8_t> rgb);

 private:
  struct Source {  // what a scaler is made for
    int width = 0, height = 0, format = -1, color_matrix = 0, color_range = 0;
    bool transposed = false;
    bool operator==(const Source&) const = default;
  };
  void make_scaler(const Source& source);

  int64_t width_, height_;
  ResizeFilter filter_;
  Source source_;
  ScalerPtr scaler_;
  std::vector<uint8_t> rows_;  // the scaler writes whole vectors, past the end of a packed row
};

}  // namespace moviechat
