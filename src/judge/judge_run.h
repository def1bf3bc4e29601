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

/// What is to be asked, and the key that its replies are kept by.
struct Task {
  std::string key;
  const JudgeQuestion* question = nullptr;
};

/// Asks a judge everything on a list, by several workers. What they share: when the judge wants no
/// request, and how many questions in a row went without a reply.
class JudgeRun {
 public:
  JudgeRun(const JudgeOptions& options, VerdictFile& verdicts, std::vector<Task> tasks);

  /// Until all is asked. Throws when asking is useless or the user stops it.
  void run(const ProgressSink& progress, const CancelFlag* cancel);

  /// Key → why there was no reply.
  const std::map<std::string, std::string>& failures() const { return failures_; }
  int64_t requests() const { return requests_; }
  int64_t retries() const { return retries_; }

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
  int64_t failures_in_a_row_ = 0;
  std::map<std::string, std::string> failures_;
  int64_t requests_ = 0;
  int64_t retries_ = 0;
};

}  // namespace moviechat::judge
