#include "eval/prefetcher.h"

#include <gtest/gtest.h>

#include <atomic>

#include "moviechat/error.h"

namespace moviechat::eval {
namespace {

TEST(PrefetcherThreads, ItemsComeInOrderAndAtMostOneWaits) {
  constexpr int64_t kItems = 200;
  std::atomic<int64_t> begun{0};
  std::atomic<int64_t> taken{0};
  std::atomic<int64_t> most_ahead{0};
  Prefetcher<std::unique_ptr<int64_t>> ahead(kItems, 1, [&](int64_t number, const CancelFlag&) {
    most_ahead = std::max<int64_t>(most_ahead, ++begun - taken);
    return std::make_unique<int64_t>(number);
  });
  for (int64_t number = 0; number < kItems; ++number) {
    EXPECT_EQ(*ahead.next(), number);
    ++taken;
  }
  EXPECT_EQ(begun, kItems);
  EXPECT_LE(most_ahead, 2);  // the one that is taken just now, and the one after it
}

TEST(PrefetcherThreads, TheNextIsMadeWhileThisOneIsUsed) {
  std::atomic<bool> second_begun{false};
  Prefetcher<int> ahead(2, 1, [&](int64_t number, const CancelFlag&) {
    if (number == 1) second_begun = true;
    return static_cast<int>(number);
  });
  EXPECT_EQ(ahead.next(), 0);
  while (!second_begun) std::this_thread::yield();  // would never end if making waited for next()
  EXPECT_EQ(ahead.next(), 1);
}

TEST(PrefetcherThreads, AsManyAsWishedAreMadeBeforeTheyAreTaken) {
  std::atomic<int64_t> begun{0};
  Prefetcher<int> ahead(9, 4, [&](int64_t number, const CancelFlag&) {
    ++begun;
    return static_cast<int>(number);
  });
  while (begun < 4) std::this_thread::yield();  // would never end if making waited for next()
  for (int number = 0; number < 9; ++number) {
    EXPECT_EQ(ahead.next(), number);
    EXPECT_LE(begun, number + 1 + 4);
  }
}

TEST(PrefetcherThreads, AFailureComesInItsPlace) {
  Prefetcher<int> ahead(2, 1, [&](int64_t number, const CancelFlag&) {
    if (number == 1) throw InputError("no film");
    return 7;
  });
  EXPECT_EQ(ahead.next(), 7);
  EXPECT_THROW(ahead.next(), InputError);
}

TEST(PrefetcherThreads, LeavingEarlyStopsTheMaking) {
  std::atomic<int> made{0};
  {
    Prefetcher<int> ahead(1000, 1, [&](int64_t, const CancelFlag& stop) {
      ++made;
      while (made == 2 && !stop.cancelled()) std::this_thread::yield();
      stop.check();
      return 0;
    });
    ahead.next();
  }
  EXPECT_LE(made, 2);
}

TEST(PrefetcherThreads, WaitingCanBeCancelled) {
  CancelFlag cancel;
  cancel.cancel();
  Prefetcher<int> ahead(1, 1, [&](int64_t, const CancelFlag& stop) {
    while (!stop.cancelled()) std::this_thread::yield();
    return 0;
  });
  EXPECT_THROW(ahead.next(&cancel), Cancelled);
}

}  // namespace
}  // namespace moviechat::eval
