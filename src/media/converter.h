#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/frame_reader.h"
#include "media/scaler.h"
#include "media/turn.h"

namespace moviechat {

/// Decoded frames of any size and pixel format → packed RGB of one size, turned as the file asks.
/// One thread at a time.
class Converter {
 public:
  /// width × height: as shown, after turning.
  Converter(int64_t width, int64_t height, ResizeFilter filter);

  /// Converts a frame, and keeps it.
  void convert(const AVFrame& frame, const Orientation& orientation);
  /// The last frame that was converted → rgb [height, width, 3]. The one copy of its pixels.
  void pack(std::span<uint8_t> rgb) const;

 private:
  const AVFrame& turn(const AVFrame& frame, const Orientation& orientation);

  int64_t width_, height_;
  ScalerTarget target_;
  Scaler scaler_;
  Scaler full_chroma_;
  FramePtr turnable_;
  FramePtr turned_;
  Orientation orientation_;    // of the last frame
  uint8_t* scaled_ = nullptr;  // its rows, aligned within rows_
  std::vector<uint8_t> rows_;  // the scaler writes whole vectors, past the end of a packed row
};

}  // namespace moviechat
