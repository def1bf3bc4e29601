#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "moviechat/support/seconds.h"
#include "moviechat/video/frame_reader.h"

namespace moviechat {

/// Frame indices, counted from 0 in order of show → when those frames come on screen; nullopt: the
/// film has no such frame. Timestamps decide, so that a changing rate, or timestamps rounded to
/// milliseconds, cannot pick a neighbour; where the file has none, the rate does. Reads MP4's
/// tables, or all packets, and decodes nothing; 4 bytes of memory a frame.
std::vector<std::optional<Seconds>> times_of_frames(const std::filesystem::path& path,
                                                    const VideoInfo& info,
                                                    const std::vector<int64_t>& indices,
                                                    const ReaderOptions& options);

/// The way back: timestamps of frames, in the stream's time base → their indices; nullopt where
/// timestamps do not tell. Reads as much.
std::vector<std::optional<int64_t>> indices_of_frames(const std::filesystem::path& path,
                                                      const VideoInfo& info,
                                                      const std::vector<int64_t>& timestamps,
                                                      const ReaderOptions& options);

}  // namespace moviechat
