#pragma once

#include <cstdint>

#include "media/demuxer.h"
#include "media/frame_reader.h"
#include "media/turn.h"

namespace moviechat {

/// What a stream and its first shown frame say: all of VideoInfo but the path and the length.
VideoInfo describe_video(const Demuxer& demuxer, const AVFrame& first, int64_t first_pts);

/// The frame's brightness means more than a plain screen can show.
bool is_hdr(const AVFrame& frame);

/// How a frame is to be turned: its own display matrix before the stream's.
Orientation orientation_of(const AVFrame& frame, const AVStream& stream);

}  // namespace moviechat
