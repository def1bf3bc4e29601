#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "moviechat/error.h"

namespace moviechat {

/// Starts a thread. OutOfResources where the system lets the program have no more of them.
template <class Run>
std::thread start_thread(Run run) {
  try {
    return std::thread(std::move(run));
  } catch (const std::system_error&) {
    throw OutOfResources(
        "no more threads can be started; raise the limit (ulimit -u) or the memory");
  }
}

/// Threads that do tasks, which begin in the order in which they are given. What a task throws is
/// thrown by its future. One thread gives tasks.
class Workers {
 public:
  /// Fewer threads where there cannot be so many. OutOfResources where there can be none.
  explicit Workers(int64_t threads) {
    try {
      while (std::ssize(threads_) < threads) threads_.push_back(start_thread([this] { work(); }));
    } catch (const OutOfResources&) {
      if (threads_.empty()) throw;
    }
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Waits for the tasks that have begun; those that have not are dropped.
  ~Workers() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  template <class Task>
  auto run(Task task) -> std::future<std::invoke_result_t<Task>> {
    using Result = std::invoke_result_t<Task>;
    auto packaged = std::make_shared<std::packaged_task<Result()>>(std::move(task));
    auto result = packaged->get_future();
    {
      const std::lock_guard lock(mutex_);
      tasks_.emplace_back([packaged] { (*packaged)(); });
    }
    changed_.notify_one();
    return result;
  }

 private:
  void work() {
    while (true) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopped_ || !tasks_.empty(); });
      if (stopped_) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace moviechat
