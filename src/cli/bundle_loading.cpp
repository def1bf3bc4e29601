#include "cli/bundle_loading.h"

#include <ATen/Parallel.h>

#include "moviechat/model/device.h"

namespace moviechat::cli {

int64_t threads_for(const RuntimeOptions& runtime, const BundleSpec& bundle) {
  if (runtime.threads > 0) return runtime.threads;
  constexpr uintmax_t kSmall = uintmax_t{64} << 20;  // bytes of all parts
  uintmax_t bytes = 0;
  for (const auto& [part, sha256] : bundle.files) {
    std::error_code ignored;
    const uintmax_t size = std::filesystem::file_size(bundle.folder / part, ignored);
    if (!ignored) bytes += size;
  }
  return bytes < kSmall ? 1 : 0;
}

Bundle load_bundle(const MergedSettings& merged) {
  const RuntimeOptions& runtime = merged.chosen.settings.runtime;
  const int64_t threads = threads_for(runtime, merged.bundle);
  if (threads > 0) at::set_num_threads(static_cast<int>(threads));
  const torch::Device device = choose_device(runtime.device);
  const torch::ScalarType dtype = choose_dtype(runtime.dtype, device);
  // Who asks for a dtype gets it.
  const bool is_free = runtime.dtype == "auto" || runtime.weights != Weights::automatic;
  return Bundle(merged.bundle, device, dtype, runtime.verify,
                is_free ? runtime.weights : Weights::exact);
}

}  // namespace moviechat::cli
