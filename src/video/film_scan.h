#pragma once

#include <cstdint>
#include <memory>

#include "moviechat/video/film_index.h"
#include "video/demuxer.h"

namespace moviechat {

/// Result of one pass over a film's packets, none of which is decoded.
struct FilmScan {
  std::shared_ptr<const FilmIndex> index = nullptr;  // null: some packets have no timestamps
  int64_t frames = 0;                                // that are shown
  bool starts_over = false;  // timestamps do: recordings were put one behind the other
};

/// Reads `pass` to its end. `first`: the timestamp of the first shown frame; what comes before it
/// refers to frames that are missing. `rate`: frames/s, for frames whose packets have no duration.
FilmScan scan_film(Demuxer& pass, int64_t first, double rate);

}  // namespace moviechat
