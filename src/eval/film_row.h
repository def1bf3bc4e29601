#pragma once

#include <cstdint>

#include "datasets/data_set.h"
#include "eval/prediction.h"
#include "moviechat/engine.h"

namespace moviechat::eval {

/// The row of a film before anything is known of its answers; `index` is its place in the data set.
Prediction unanswered(const Film& film, int64_t index);

/// Puts what was answered into a row, for those questions that were asked: the ones without error.
void fill_in(Prediction& row, const RunResult& run, bool evidence);

}  // namespace moviechat::eval
