#include "cli/bundle_loading.h"

#include "moviechat/model/device.h"

namespace moviechat::cli {

Bundle load_bundle(const MergedSettings& merged) {
  const RuntimeOptions& runtime = merged.chosen.settings.runtime;
  const torch::Device device = choose_device(runtime.device);
  const torch::ScalarType dtype = choose_dtype(runtime.dtype, device);
  try {
    return Bundle(merged.bundle, device, dtype, runtime.verify);
  } catch (const InputError&) {
    throw;
  } catch (const Error& error) {
    // A part that loads but fails on the self-test's input is a part of something else.
    throw InputError("bundle '" + merged.chosen.model + "': " + error.what() +
                     "; was it exported for another model?");
  }
}

}  // namespace moviechat::cli
