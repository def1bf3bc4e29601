#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "media/demuxer.h"
#include "media/film_scan.h"
#include "media/frame_reader.h"
#include "moviechat/time.h"

namespace moviechat {

/// Average rate that a stream states, its highest where it states none, else 25. frames/s
Rational stated_rate(const AVStream& stream);

/// Length, rate and frames of a film, by its packets or by what proves them. The index is null
/// where packets do not tell, or were not read.
struct FilmLength : FilmScan {
  Seconds duration{0};    // 0: unknown (a live stream)
  Rational fps;           // average
  bool measured = false;  // by a pass over all packets, and not what the header says
  bool passed = false;    // all packets were read; else tables prove the index, or nothing does

  // Signs that the film is cut off.
  std::optional<Seconds> promised;  // the header's length, when the film ends before it
  std::string torn;                 // what else shows it, in words
};

/// Length of a film as far as it is known before the first frame is decoded. `demuxer` is at its
/// first packet and is there again afterwards. Where the format proves nothing, all packets are
/// read.
FilmLength survey_film(Demuxer& demuxer, const ReaderOptions& options);

/// Length from the first shown frame's timestamp on: frames before it refer to frames that are
/// missing.
FilmLength length_from(FilmLength survey, Demuxer& demuxer, const ReaderOptions& options,
                       int64_t first);

}  // namespace moviechat
