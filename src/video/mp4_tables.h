#pragma once

#include <cstdint>
#include <memory>

#include "moviechat/video/film_index.h"
#include "video/ffmpeg.h"

namespace moviechat {

/// True when an MP4 file's edit lists change nothing: every video track has none, or one edit at
/// the film's own speed that shows all of its frames and begins at the first one. FFmpeg copies its
/// sample tables, gigabytes of film in megabytes of memory, to apply an edit list; where this holds
/// it need not. False when in doubt. Reads the tables once, in constant memory.
bool edits_change_nothing(AVIOContext& io);

/// The index of a track whose edits change nothing, as its sample tables prove it without a pass
/// over the film; nullptr when they do not. `track`: its number (FFmpeg's id of the stream);
/// `tick`: seconds of a tick; `start`: FFmpeg's timestamp of its first frame; `first`: that of the
/// first shown one.
std::shared_ptr<const FilmIndex> index_of_track(AVIOContext& io, int64_t track, double tick,
                                                int64_t start, int64_t first);

}  // namespace moviechat
