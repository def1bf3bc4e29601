#include "media/turn.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace moviechat {
namespace {

/// One plane of elements of `Step` bytes: to[x][y] = from[y][x].
template <int Step>
void transpose_plane(const uint8_t* from, int64_t from_stride, int64_t width, int64_t height,
                     const Orientation& orientation, uint8_t* to, int64_t to_stride) {
  constexpr int64_t kTile = 32;  // rows and columns of a tile stay in the cache together
  for (int64_t top = 0; top < width; top += kTile) {
    for (int64_t left = 0; left < height; left += kTile) {
      for (int64_t row = top; row < std::min(top + kTile, width); ++row) {
        const int64_t column_in = orientation.mirror_columns ? width - 1 - row : row;
        for (int64_t column = left; column < std::min(left + kTile, height); ++column) {
          const int64_t row_in = orientation.mirror_rows ? height - 1 - column : column;
          std::memcpy(to + row * to_stride + column * Step,
                      from + row_in * from_stride + column_in * Step, Step);
        }
      }
    }
  }
}

/// Bytes from one element of a plane to the next.
int plane_step(const AVPixFmtDescriptor& layout, int plane) {
  int step = 0;
  for (int i = 0; i < layout.nb_components; ++i) {
    if (layout.comp[i].plane == plane) step = std::max(step, layout.comp[i].step);
  }
  return step;
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

bool can_transpose(const AVFrame& frame) {
  const AVPixFmtDescriptor* layout = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  constexpr uint64_t kNotPixels = AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BITSTREAM;
  if (layout == nullptr || (layout->flags & kNotPixels) != 0) return false;
  if (layout->log2_chroma_w != layout->log2_chroma_h) return false;
  for (int plane = 0; plane < AV_NUM_DATA_POINTERS; ++plane) {
    const int step = plane_step(*layout, plane);
    if (step == 5 || step == 7 || step > 8) return false;
  }
  return true;
}

AVPixelFormat full_chroma_format(const AVFrame& frame) {
  const AVPixFmtDescriptor* layout = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  if (layout == nullptr || layout->nb_components < 3 ||
      (layout->flags & AV_PIX_FMT_FLAG_RGB) != 0) {
    return AV_PIX_FMT_RGB24;
  }
  return layout->comp[0].depth > 8 ? AV_PIX_FMT_YUV444P16 : AV_PIX_FMT_YUV444P;
}

void make_frame(FramePtr& frame, int64_t width, int64_t height, AVPixelFormat format,
                const AVFrame& like) {
  if (!frame || frame->width != width || frame->height != height || frame->format != format) {
    frame.reset(av_allocated(av_frame_alloc()));
    frame->width = static_cast<int>(width);
    frame->height = static_cast<int>(height);
    frame->format = format;
    av_check(av_frame_get_buffer(frame.get(), 0), "cannot turn a video frame");
  }
  frame->colorspace = color_matrix(like);
  frame->color_range = color_range(like);
}

void transpose(const AVFrame& frame, const Orientation& orientation, FramePtr& turned) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const AVPixFmtDescriptor& layout = *av_pix_fmt_desc_get(format);
  make_frame(turned, frame.height, frame.width, format, frame);
  if ((layout.flags & AV_PIX_FMT_FLAG_PAL) != 0) {
    std::memcpy(turned->data[1], frame.data[1], AVPALETTE_SIZE);
  }
  for (int plane = 0; plane < AV_NUM_DATA_POINTERS; ++plane) {
    const bool chroma = plane == 1 || plane == 2;
    const int64_t width = AV_CEIL_RSHIFT(frame.width, chroma ? layout.log2_chroma_w : 0);
    const int64_t height = AV_CEIL_RSHIFT(frame.height, chroma ? layout.log2_chroma_h : 0);
    const int step = plane_step(layout, plane);
    const auto turn = [&]<int... Step>(std::integer_sequence<int, Step...>) {
      ((step == Step
            ? transpose_plane<Step>(frame.data[plane], frame.linesize[plane], width, height,
                                    orientation, turned->data[plane], turned->linesize[plane])
            : void()),
       ...);
    };
    turn(std::integer_sequence<int, 1, 2, 3, 4, 6, 8>());  // can_transpose() knows no other step
  }
}

}  // namespace moviechat
