#include "bundle/script_module.h"

#include <gtest/gtest.h>
#include <torch/csrc/jit/codegen/fuser/interface.h>

#include "bundle/bundle.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

// A fused kernel is compiled on the device, from what no reference has computed.
TEST(ScriptModule, FusesNothingOnAnyDevice) {
  const Bundle bundle(read_bundle_spec(testing::tiny_bundle()), torch::kCPU, torch::kFloat,
                      Verify::quick);
  const ScriptModule& module = bundle.language_model();
  const auto embeddings = module.call("embed", {torch::arange(3)}).unsqueeze(0);
  const auto cache = module.call_tuple("make_cache", {int64_t{1}, int64_t{8}});
  module.call("step", {embeddings, cache[0], cache[1], int64_t{0}});
  EXPECT_FALSE(torch::jit::canFuseOnGPU());  // the default is true
  EXPECT_FALSE(torch::jit::canFuseOnCPU());
  EXPECT_EQ(torch::jit::nCompiledKernels(), 0U);
}

}  // namespace
}  // namespace moviechat
