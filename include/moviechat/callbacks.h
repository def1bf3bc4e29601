#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "moviechat/error.h"

namespace moviechat {

/// Receiver of warnings, one line each: what the user should know but what stops nothing. The
/// library prints nothing itself.
using WarningSink = std::function<void(const std::string& line)>;

/// How far a long stage is: done of total, in `unit`. A total of 0 is unknown.
struct Progress {
  std::string_view stage;
  int64_t done = 0;
  int64_t total = 0;
  std::string_view unit;
};
using ProgressSink = std::function<void(const Progress&)>;

/// Set from a signal handler or another thread; long work calls check() at least ten times a
/// second.
class CancelFlag {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  void check() const {
    if (cancelled()) throw Cancelled();
  }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace moviechat
