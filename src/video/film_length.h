#pragma once

#include <cstdint>
#include <string>

#include "moviechat/support/seconds.h"
#include "moviechat/video/frame_reader.h"
#include "moviechat/video/rational.h"
#include "video/demuxer.h"

namespace moviechat {

/// The average rate that a stream states, its highest where it states none, else 25. frames/s
Rational frame_rate(const AVStream& stream);

/// How long a video is from its first shown frame on.
struct FilmLength {
  Seconds duration{0};       // 0: unknown (a live stream)
  bool measured = false;     // by a pass over all packets: the header had none, or an absurd one
  bool starts_over = false;  // its timestamps do, so that none can be sought
};

/// `demuxer` has opened `path`; `first` is the timestamp of the first shown frame. Where the file
/// has to be read for it, it is opened once more, as `options` say.
FilmLength film_length(const Demuxer& demuxer, const std::string& path,
                       const ReaderOptions& options, int64_t first);

}  // namespace moviechat
