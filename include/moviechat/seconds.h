#pragma once

#include <chrono>

namespace moviechat {

/// A time or a length of time in seconds. A film's time 0 is when its first frame is shown.
using Seconds = std::chrono::duration<double>;

}  // namespace moviechat
