#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/stage_costs.h"
#include "language/video_tokens.h"
#include "moviechat/result.h"

namespace moviechat {

/// A film that has been watched: all that answers to its questions need. A few embeddings for each
/// moment, whatever the film's length.
struct WatchedFilm {
  std::vector<Question> questions;
  VideoInfo video;
  SamplingPlan plan;
  std::vector<Seconds> moments;                  // that questions are about, each once
  std::vector<std::optional<size_t>> moment_of;  // each question's; nullopt: the whole film
  std::vector<VideoTokens> of_moment;            // as the moments
  VideoTokens of_film;                           // undefined where nobody asks about the whole
  Counts counts;
  StageCosts costs;
  std::vector<std::optional<Answer>> answers;  // to the questions, where they are there already

  /// What a question is answered from; undefined as long as it has not been seen.
  const VideoTokens& tokens_for(size_t question) const {
    const std::optional<size_t> moment = moment_of[question];
    return moment ? of_moment[*moment] : of_film;
  }
};

}  // namespace moviechat
