#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <utility>

#include "base/workers.h"
#include "moviechat/callbacks.h"

namespace moviechat::eval {

/// Items 0, 1, …, made on a thread of its own before the caller takes them in order: at most `most`
/// items wait or are being made. An exception of making is thrown by the next() that would have
/// given the item. One thread calls.
template <class Item>
class Prefetcher {
 public:
  /// `make` should stop soon, by throwing, when the flag that it is given is set.
  using Make = std::function<Item(int64_t number, const CancelFlag& stop)>;

  Prefetcher(int64_t count, size_t most, Make make) : make_(std::move(make)), count_(count) {
    for (size_t i = 0; i < most; ++i) make_next();
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// Stops the making and waits for it.
  ~Prefetcher() { stop_.cancel(); }

  /// The next item, waited for. Throws Cancelled when `cancel` is set meanwhile.
  Item next(const CancelFlag* cancel = nullptr) {
    constexpr auto kGlance = std::chrono::milliseconds(50);  // a flag cannot wake anybody
    while (items_.front().wait_for(kGlance) != std::future_status::ready) {
      if (cancel != nullptr) cancel->check();
    }
    std::future<Item> item = std::move(items_.front());
    items_.pop_front();
    make_next();
    return item.get();
  }

 private:
  void make_next() {
    if (given_ == count_) return;
    items_.push_back(maker_.run([this, number = given_++] { return make_(number, stop_); }));
  }

  Make make_;
  int64_t count_;
  int64_t given_ = 0;  // to the maker
  CancelFlag stop_;
  std::deque<std::future<Item>> items_;
  Workers maker_{1};  // last: it uses what is above
};

}  // namespace moviechat::eval
