#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "moviechat/costs.h"

namespace moviechat {

/// The cost of stages, in the order in which they first began. One thread at a time.
class StageCosts {
 public:
  /// Memory of a device; nullopt: there is none beside the host's.
  using DeviceMemory = std::function<std::optional<MemoryUse>()>;

  explicit StageCosts(DeviceMemory device = nullptr);

  void add(const StageCost& cost);
  /// Adds a part of a stage that ends now.
  void add_part(const std::string& stage, double seconds);

  const std::vector<StageCost>& stages() const { return stages_; }

 private:
  StageCost& of(const std::string& stage);

  DeviceMemory device_;
  int64_t host_peak_;  // when it was last looked at
  int64_t device_peak_ = 0;
  std::vector<StageCost> stages_;
};

/// Adds what happens from its construction to its end to a stage.
class Stopwatch {
 public:
  Stopwatch(StageCosts& costs, std::string stage) : costs_(costs), stage_(std::move(stage)) {}
  ~Stopwatch() {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin_;
    costs_.add_part(stage_, spent.count());
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  StageCosts& costs_;
  std::string stage_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace moviechat
