#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "media/ffmpeg.h"
#include "media/film_index.h"

namespace moviechat {

/// The sample tables of an MP4 file claim more entries than they have room for, or more samples
/// than the file has bytes. FFmpeg would ask for memory for each.
bool has_absurd_tables(AVIOContext& io);

/// True when an MP4 file's edit lists change nothing: every video track has none, or one edit at
/// the film's own speed that shows all of its frames and begins at the first one. FFmpeg copies its
/// sample tables, gigabytes of film in megabytes of memory, to apply an edit list; where this holds
/// it need not. False when in doubt. Reads the tables once, in constant memory.
bool edits_change_nothing(AVIOContext& io);

/// Numbers of the tracks that belong to another one: its alpha, depth or thumbnails.
std::vector<int64_t> auxiliary_tracks(AVIOContext& io);

/// The index of a track whose edits change nothing, as its sample tables prove it without a pass
/// over the film; nullptr when they do not. `track`: its number (FFmpeg's id of the stream);
/// `tick`: seconds of a tick; `start`: FFmpeg's timestamp of its first frame; `frames`: how many
/// there may be.
std::shared_ptr<FilmIndex> index_of_track(AVIOContext& io, int64_t track, double tick,
                                          int64_t start, int64_t frames);

}  // namespace moviechat
