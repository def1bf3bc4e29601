#pragma once

#include "moviechat/support/seconds.h"

namespace moviechat {

/// A part of the film that an answer rests on.
struct Evidence {
  Seconds start{0};
  Seconds end{0};
  double score = 0;  // share among the parts named; they sum to 1
};

}  // namespace moviechat
