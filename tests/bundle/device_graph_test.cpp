#include "bundle/device_graph.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "support_for_tests/device.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

TEST(DeviceGraph, ThereIsNoneOnACpu) {
  EXPECT_EQ(record_graph(torch::kCPU, [] {}), nullptr);
}

/// MOVIECHAT_DEVICE=cuda runs these.
class CudaGraph : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!device_.is_cuda()) GTEST_SKIP() << "MOVIECHAT_DEVICE is no GPU";
  }
  torch::Device device_ = testing::test_device();
};

TEST_F(CudaGraph, DoesTheWorkAgainOnWhatIsThereByThen) {
  auto x = torch::arange(4, torch::TensorOptions(device_).dtype(torch::kFloat));
  torch::Tensor y;
  const auto graph = record_graph(device_, [&] { y = (x * 2).square(); });
  ASSERT_NE(graph, nullptr);
  for (const double start : {5.0, -3.0}) {
    x.copy_(torch::arange(start, start + 4));
    const auto others = torch::full({1 << 20}, 7.0, x.options());  // memory of its own
    graph->replay();
    EXPECT_TRUE(torch::equal(y, (x * 2).square()));
    EXPECT_TRUE((others == 7.0).all().item<bool>());
  }
}

TEST_F(CudaGraph, WorkThatWaitsForTheDeviceIsRunButNotRecorded) {
  const auto x = torch::ones({3}, torch::TensorOptions(device_));
  int runs = 0;
  const auto waiting = [&] { runs += x.sum().item<float>() == 3 ? 1 : 0; };
  EXPECT_EQ(record_graph(device_, waiting), nullptr);
  EXPECT_GE(runs, 1);
  waiting();  // the device works on
  EXPECT_GE(runs, 2);
  EXPECT_NE(record_graph(device_, [&] { x.add_(1); }), nullptr);
}

TEST_F(CudaGraph, WhatTheWorkThrowsIsThrown) {
  EXPECT_THROW(record_graph(device_, [] { throw std::out_of_range("no"); }), std::out_of_range);
}

}  // namespace
}  // namespace moviechat
