#pragma once

#include <cstdint>
#include <optional>

#include "media/frame_reader.h"
#include "moviechat/time.h"

namespace moviechat {

/// A frame's index, counted from 0 in order of show → when it comes on screen; nullopt: the film
/// has no such frame. The film's index decides; where there is none, the rate does.
std::optional<Seconds> time_of_frame(const VideoInfo& info, int64_t frame);

}  // namespace moviechat
