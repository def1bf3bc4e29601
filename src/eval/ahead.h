#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include "base/workers.h"
#include "moviechat/callbacks.h"

namespace moviechat::eval {

/// Makes items 0, 1, … on a thread of its own, ahead of the caller who takes them in order: at most
/// `most` items wait or are being made. What making throws is thrown by the next() that would
/// have given the item. One thread calls.
template <class Item>
class Ahead {
 public:
  /// `make` should stop soon, by throwing, when the flag that it is given is set.
  using Make = std::function<Item(int64_t number, const CancelFlag& stop)>;

  Ahead(int64_t count, size_t most, Make make)
      : make_(std::move(make)),
        most_(most),
        thread_(start_thread([this, count] { make_all(count); })) {}
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  /// Stops the making and waits for it.
  ~Ahead() {
    stop_.cancel();
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  /// The next item, waited for. Throws Cancelled when `cancel` is set meanwhile.
  Item next(const CancelFlag* cancel = nullptr) {
    constexpr auto kLook = std::chrono::milliseconds(50);  // a flag cannot wake anybody
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, kLook, [this] { return !made_.empty(); })) {
      if (cancel != nullptr) cancel->check();
    }
    Made made = std::move(made_.front());
    made_.pop_front();
    lock.unlock();
    changed_.notify_all();
    if (auto* failure = std::get_if<std::exception_ptr>(&made)) std::rethrow_exception(*failure);
    return std::get<Item>(std::move(made));
  }

 private:
  using Made = std::variant<Item, std::exception_ptr>;

  void make_all(int64_t count) {
    for (int64_t number = 0; number < count; ++number) {
      Made made = make_one(number);
      std::unique_lock lock(mutex_);
      made_.push_back(std::move(made));
      changed_.notify_all();
      changed_.wait(lock, [this] { return stopped_ || made_.size() < most_; });
      if (stopped_) return;
    }
  }

  Made make_one(int64_t number) {
    try {
      return make_(number, stop_);
    } catch (...) {
      return std::current_exception();
    }
  }

  Make make_;
  size_t most_;
  CancelFlag stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Made> made_;
  bool stopped_ = false;
  std::thread thread_;  // last: it uses what is above
};

}  // namespace moviechat::eval
