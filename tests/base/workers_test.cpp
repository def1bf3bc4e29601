#include "base/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>

namespace moviechat {
namespace {

TEST(WorkersThreads, EveryTaskGivesItsResultToItsFuture) {
  Workers workers(3);
  std::vector<std::future<int>> results;
  for (int i = 0; i < 100; ++i) results.push_back(workers.run([i] { return i * i; }));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(results[static_cast<size_t>(i)].get(), i * i);
}

TEST(WorkersThreads, TasksAreDoneSideBySide) {
  Workers workers(2);
  std::latch both(2);  // neither would end alone
  auto one = workers.run([&] { both.arrive_and_wait(); });
  auto two = workers.run([&] { both.arrive_and_wait(); });
  one.get();
  two.get();
}

TEST(WorkersThreads, AFailureIsThrownByItsFutureAndTheNextTaskIsDone) {
  Workers workers(1);
  auto failed = workers.run([]() -> int { throw std::runtime_error("broken"); });
  auto next = workers.run([] { return 7; });
  EXPECT_THROW(failed.get(), std::runtime_error);
  EXPECT_EQ(next.get(), 7);
}

TEST(WorkersThreads, LeavingWaitsForWhatHasBegunAndDropsTheRest) {
  std::atomic<int> ended{0};
  std::latch begun(1);
  std::latch leaving(1);
  std::future<void> dropped;
  std::jthread later;
  {
    Workers workers(1);
    workers.run([&] {
      begun.count_down();
      leaving.wait();
      ++ended;
    });
    dropped = workers.run([&] { ++ended; });
    begun.wait();
    later = std::jthread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));  // the destructor has begun
      leaving.count_down();
    });
  }
  EXPECT_EQ(ended, 1);
  EXPECT_THROW(dropped.get(), std::future_error);
}

}  // namespace
}  // namespace moviechat
