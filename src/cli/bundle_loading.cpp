#include "cli/bundle_loading.h"

#include "moviechat/model/device.h"

namespace moviechat::cli {

Bundle load_bundle(const MergedSettings& merged) {
  const RuntimeOptions& runtime = merged.chosen.settings.runtime;
  const torch::Device device = choose_device(runtime.device);
  const torch::ScalarType dtype = choose_dtype(runtime.dtype, device);
  return Bundle(merged.bundle, device, dtype, runtime.verify, runtime.weights);
}

}  // namespace moviechat::cli
