#pragma once

#include "bundle/tensor.h"

#include "moviechat/time.h"

namespace moviechat {

/// The part of the film that a block stands for: from `start` to `end`, `frames` of the frames that
/// were read. `frames` is a fraction where frames are shared evenly among blocks. Features of an
/// empty span stayed from `origin`, the middle of the span that stands for them.
struct Span {
  Seconds start{0};
  Seconds end{0};
  double frames = 0;
  Seconds origin{0};
};

/// One frame, or several merged ones: features [N, C] and the span that they stand for. The tensor
/// is a shared handle that nobody writes to.
struct Block {
  torch::Tensor features;
  Seconds start{0};
  Seconds end{0};
  double frames = 1;
  Seconds origin{0};  // as a span's

  Span span() const { return {start, end, frames, origin}; }
};

}  // namespace moviechat
