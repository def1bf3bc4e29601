#pragma once

#include "video/ffmpeg.h"

namespace moviechat {

/// True when an MP4 file's edit lists change nothing: every video track has none, or one edit at
/// the film's own speed that shows all of its frames and begins at the first one. FFmpeg copies its
/// sample tables, gigabytes of film in megabytes of memory, to apply an edit list; where this holds
/// it need not. False when in doubt. Reads the tables once, in constant memory.
bool edits_change_nothing(AVIOContext& io);

}  // namespace moviechat
