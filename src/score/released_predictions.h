#pragma once

#include <string>
#include <vector>

#include "eval/prediction.h"

namespace moviechat::score {

/// Predictions from a file in one of the authors' formats (see read_run). `name` begins messages.
std::vector<eval::Prediction> parse_released_predictions(const std::string& text,
                                                         const std::string& name);

}  // namespace moviechat::score
