#pragma once

#include <string>
#include <vector>

#include "eval/prediction.h"

namespace moviechat::judge {

/// Predictions in the authors' shape (see read_run). `name` begins errors.
std::vector<eval::Prediction> parse_released_predictions(const std::string& text,
                                                         const std::string& name);

}  // namespace moviechat::judge
