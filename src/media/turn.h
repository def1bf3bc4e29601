#pragma once

#include <cstdint>

#include "media/ffmpeg.h"

namespace moviechat {

/// Turn of stored pictures for showing: transposed first, then mirrored.
struct Orientation {
  bool transpose = false;
  bool mirror_rows = false;     // of the stored picture: read from its last row
  bool mirror_columns = false;  // of the stored picture: read from its last column
  int64_t degrees = 0;          // clockwise, as the file states it
  bool oblique = false;         // not a multiple of 90°: shown unturned
};

/// Orientation that a display matrix (nine 16.16 numbers) asks for; nullptr is upright.
Orientation orientation_of(const int32_t* matrix);

/// Whether the frame's pixels keep their format when rows and columns are exchanged.
bool can_transpose(const AVFrame& frame);

/// Transposable format for other frames: one chroma sample a pixel, no less depth, no alpha.
AVPixelFormat full_chroma_format(const AVFrame& frame);

/// Makes `frame` a writable picture of that form, its colours tagged as `like`; reuses what it has.
void make_frame(FramePtr& frame, int64_t width, int64_t height, AVPixelFormat format,
                const AVFrame& like);

/// `frame` with rows and columns exchanged, mirrored as asked, into `turned`.
void transpose(const AVFrame& frame, const Orientation& orientation, FramePtr& turned);

}  // namespace moviechat
