#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace moviechat {

/// Stage → seconds spent in it, in the order in which stages first began. One thread at a time.
class Timings {
 public:
  void add(const std::string& stage, double seconds) {
    for (auto& [name, total] : stages_) {
      if (name == stage) {
        total += seconds;
        return;
      }
    }
    stages_.emplace_back(stage, seconds);
  }
  const std::vector<std::pair<std::string, double>>& stages() const { return stages_; }

 private:
  std::vector<std::pair<std::string, double>> stages_;
};

/// Adds the time from its construction to its end to a stage.
class Stopwatch {
 public:
  Stopwatch(Timings& timings, std::string stage) : timings_(timings), stage_(std::move(stage)) {}
  ~Stopwatch() {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin_;
    timings_.add(stage_, spent.count());
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  Timings& timings_;
  std::string stage_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace moviechat
