#include "cli/bundle_loading.h"

#include "moviechat/model/device.h"

namespace moviechat::cli {

Bundle load_bundle(const MergedSettings& merged) {
  const RuntimeOptions& runtime = merged.chosen.settings.runtime;
  const torch::Device device = choose_device(runtime.device);
  const torch::ScalarType dtype = choose_dtype(runtime.dtype, device);
  // Who asks for a dtype gets it.
  const bool is_free = runtime.dtype == "auto" || runtime.weights != Weights::automatic;
  return Bundle(merged.bundle, device, dtype, runtime.verify,
                is_free ? runtime.weights : Weights::exact);
}

}  // namespace moviechat::cli
