#include "base/stage_costs.h"
#include "base/process.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

namespace moviechat {
namespace {

constexpr int64_t kMiB = 1 << 20;

TEST(StageCosts, AddUpByStageInTheOrderInWhichTheyBegan) {
  StageCosts costs;
  costs.add({"decode", 1, 10, {}});
  costs.add({"encode", 2, {}, 5});
  costs.add({"decode", 3, 4, 7});
  ASSERT_EQ(costs.stages().size(), 2U);
  EXPECT_EQ(costs.stages()[0].stage, "decode");
  EXPECT_DOUBLE_EQ(costs.stages()[0].seconds, 4);
  EXPECT_EQ(costs.stages()[0].peak_host_bytes, 10);
  EXPECT_EQ(costs.stages()[0].peak_device_bytes, 7);
  EXPECT_EQ(costs.stages()[1].peak_host_bytes, std::nullopt);
}

TEST(StageCosts, MemoryThatWasGivenBackBeforeTheEndCounts) {
  StageCosts costs;
  const int64_t before = resident_memory().peak;
  {
    const Stopwatch stopwatch(costs, "greedy");
    // more than the process has ever held, each page touched
    const auto size = static_cast<size_t>(before - resident_memory().now + 64 * kMiB);
    void* const pages =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(pages, MAP_FAILED);
    std::memset(pages, 1, size);
    munmap(pages, size);  // an allocator might keep it
  }
  { const Stopwatch stopwatch(costs, "modest"); }
  EXPECT_GT(*costs.stages()[0].peak_host_bytes, before + 32 * kMiB);
  EXPECT_LT(*costs.stages()[1].peak_host_bytes, *costs.stages()[0].peak_host_bytes - 32 * kMiB);
  EXPECT_FALSE(costs.stages()[0].peak_device_bytes);
}

TEST(StageCosts, ADevicesRecordIsOfTheStageThatSetIt) {
  MemoryUse device{.now = 10, .peak = 50};
  StageCosts costs([&] { return device; });
  costs.add_part("encode", 1);
  device = {.now = 20, .peak = 90};
  costs.add_part("answer", 1);
  device = {.now = 30, .peak = 90};
  costs.add_part("encode", 1);
  EXPECT_EQ(costs.stages()[0].peak_device_bytes, 30);
  EXPECT_EQ(costs.stages()[1].peak_device_bytes, 90);
}

TEST(ResidentMemory, IsThisProcesssOwn) {
  const MemoryUse use = resident_memory();
  EXPECT_GT(use.now, kMiB);
  EXPECT_GE(use.peak, use.now);
}

}  // namespace
}  // namespace moviechat
