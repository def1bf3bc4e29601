#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "judge/endpoint.h"
#include "judge/judge.h"
#include "judge/verdict_file.h"

namespace moviechat::judge {

/// Question to ask, and the key under which its replies are kept.
struct Task {
  std::string key;
  const JudgeQuestion* question = nullptr;
};

/// List of questions → replies in the file of verdicts, by several workers at a time. They share
/// the time before which the judge wants no request, and the count of questions in a row without a
/// reply.
class JudgeRun {
 public:
  JudgeRun(const JudgeOptions& options, VerdictFile& verdicts, std::vector<Task> tasks);

  /// Asks until nothing is left. Throws when asking on is useless or the user stops it.
  void run(const ProgressSink& progress, const CancelFlag* cancel);

  /// Reasons for which there was no reply, by key.
  const std::map<std::string, std::string>& failures() const { return failures_.by_key; }
  int64_t requests() const { return requests_.sent; }
  int64_t retries() const { return requests_.repeated; }

 private:
  using Clock = std::chrono::steady_clock;

  void work_on(const Task& task);
  std::string ask(const Task& task);
  void not_before(Seconds wait);
  bool wait_to_retry(int64_t retry);
  bool wait_until_welcome();
  void finish(const Task& task, std::string failure);
  [[noreturn]] void give_up(const std::string& why) const;

  const JudgeOptions& options_;
  VerdictFile& verdicts_;
  const std::vector<Task> tasks_;
  Endpoint endpoint_;

  std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  int64_t done_ = 0;  // tasks
  std::mt19937 random_{std::random_device{}()};
  bool stopped_ = false;
  std::exception_ptr error_;
  Clock::time_point welcome_;  // no request before
  struct Failures {
    std::map<std::string, std::string> by_key;
    int64_t in_a_row = 0;
  };
  Failures failures_;
  struct Requests {
    int64_t sent = 0;
    int64_t repeated = 0;
  };
  Requests requests_;
};

}  // namespace moviechat::judge
