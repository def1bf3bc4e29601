#include "bundle/limits.h"

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <set>

namespace moviechat {
namespace {

using ::testing::IsEmpty;

TEST(Limits, OfTheCpuCoverEveryDtypeAndAreWorkOverTime) {
  int64_t told = 0;
  double sum = 0;
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<Limit> limits =
      measure_limits(torch::kCPU, 0.5, [&](const Progress& progress) { told = progress.done; });
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(told, static_cast<int64_t>(limits.size()));
  std::map<LimitKind, std::multiset<std::string>> dtypes;
  for (const Limit& limit : limits) {
    SCOPED_TRACE(std::string(name_of(limit.kind)) + " " + limit.weights);
    EXPECT_THAT(limit.unavailable, IsEmpty());
    dtypes[limit.kind].insert(limit.weights);
    ASSERT_EQ(limit.shape.size(), 2U);
    const int64_t numbers = limit.shape[0] * limit.shape[1];
    if (limit.kind == LimitKind::gemm) {
      EXPECT_EQ(limit.work, 2 * limit.shape[0] * numbers);
    } else {
      const int64_t width = limit.weights == "fp32" ? 4 : limit.weights == "int8" ? 1 : 2;
      EXPECT_EQ(limit.work, width * numbers);
    }
    EXPECT_GT(limit.seconds, 0);
    sum += 2 * limit.seconds;  // every kernel is called twice at least
    EXPECT_DOUBLE_EQ(limit.per_second(), static_cast<double>(limit.work) / limit.seconds);
    EXPECT_LT(limit.per_second(), 1e15);  // no machine of today
  }
  EXPECT_LT(sum, spent.count());
  using Names = std::multiset<std::string>;
  EXPECT_EQ(dtypes[LimitKind::gemm], (Names{"fp32", "fp16", "bf16", "int8"}));
  EXPECT_EQ(dtypes[LimitKind::matrix_vector], (Names{"fp32", "fp16", "bf16", "int8", "int8"}));
  EXPECT_EQ(dtypes[LimitKind::read], Names{"fp32"});
}

TEST(Limits, StopWhenCancelled) {
  CancelFlag cancel;
  cancel.cancel();
  EXPECT_THROW(measure_limits(torch::kCPU, 1, nullptr, &cancel), Cancelled);
}

}  // namespace
}  // namespace moviechat
