#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "media/demuxer.h"
#include "media/film_index.h"
#include "moviechat/callbacks.h"

namespace moviechat {

/// Result of one pass over a film's packets, none of which is decoded.
struct FilmScan {
  std::shared_ptr<FilmIndex> index = nullptr;  // null: some packets have no timestamps
  int64_t frames = 0;                          // that are shown; 0: unknown
  bool by_decoding = false;    // the index has decoding times: packets have no others, as in AVI
  bool starts_over = false;    // timestamps do: recordings were put one behind the other
  bool is_last_torn = false;   // the file ends inside the last packet
  std::vector<int64_t> keys;   // timestamps of key frames in the format's index after the pass
  std::optional<Seconds> end;  // when the last packet of any stream ends, by the file's clock
};

/// Reads `pass` from where it is to its end. `rate`: frames/s, for frames whose packets have no
/// duration.
FilmScan scan_film(Demuxer& pass, double rate, const ProgressSink& progress = nullptr);

}  // namespace moviechat
