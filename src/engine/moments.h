#pragma once

#include <vector>

#include "engine/watched_film.h"
#include "moviechat/engine.h"
#include "perception/frame_source.h"
#include "plan/timeline.h"

namespace moviechat {

/// The moments that questions which joined a film are about, as far as none before them is about
/// the same; notes in the film which is whose. InputError for a moment or frame that is not in the
/// film, or was watched already, unless run.clamp_moments.
std::vector<Moment> collect_moments(WatchedFilm& film, FrameSource& source, Seconds watched,
                                    const RunOptions& run, const WarningSink& warn);

/// InputError for a moment beyond the end of a film, which is known only now.
void check_in_film(Seconds moment, const VideoInfo& video);

}  // namespace moviechat
