#include "engine/bundle_loading.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

TEST(BundleLoading, ASmallBundleHasOneThreadUnlessAskedOtherwise) {
  const moviechat::testing::TemporaryFolder folder;
  BundleSpec bundle;
  bundle.folder = folder.path();
  bundle.files = {{"language_model.pt", ""}, {"tokenizer.model", ""}};
  std::ofstream(folder / "language_model.pt") << "small";
  EXPECT_EQ(threads_for({}, bundle), 1);
  RuntimeOptions asked;
  asked.threads = 3;
  EXPECT_EQ(threads_for(asked, bundle), 3);
  std::filesystem::resize_file(folder / "language_model.pt", uintmax_t{1} << 30);  // holes
  EXPECT_EQ(threads_for({}, bundle), 0);
  EXPECT_EQ(threads_for(asked, bundle), 3);
}

}  // namespace
}  // namespace moviechat
