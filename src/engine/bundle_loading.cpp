#include "engine/bundle_loading.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "base/process.h"
#include "bundle/device.h"

namespace moviechat {

namespace {

/// Of all parts of a bundle.
int64_t bytes_of(const BundleSpec& bundle) {
  int64_t bytes = 0;
  for (const auto& [part, sha256] : bundle.files) {
    std::error_code ignored;
    const uintmax_t size = std::filesystem::file_size(bundle.folder / part, ignored);
    if (!ignored) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

}  // namespace

void check_address_space(const BundleSpec& bundle) {
  constexpr int64_t kForTheRest = int64_t{512} << 20;  // threads, a film's frames, activations
  constexpr int64_t kMegabyte = 1'000'000;
  const auto left = address_space_left();
  const int64_t needed = 2 * bytes_of(bundle) + kForTheRest;  // a part is read, then converted
  if (!left || *left >= needed) return;
  throw OutOfResources("too little memory: the limit of address space (ulimit -v) leaves " +
                       std::to_string(std::max<int64_t>(*left, 0) / kMegabyte) + " MB, about " +
                       std::to_string(needed / kMegabyte) + " MB are needed; raise it");
}

int64_t threads_for(const RuntimeOptions& runtime, const BundleSpec& bundle) {
  if (runtime.threads > 0) return runtime.threads;
  constexpr int64_t kSmall = int64_t{64} << 20;  // bytes of all parts
  return bytes_of(bundle) < kSmall ? 1 : 0;
}

Bundle load_bundle(const BundleSpec& bundle, const RuntimeOptions& runtime) {
  check_address_space(bundle);
  const int64_t threads = threads_for(runtime, bundle);
  if (threads > 0) at::set_num_threads(static_cast<int>(threads));
  const torch::Device device = choose_device(runtime.device);
  const torch::ScalarType dtype = choose_dtype(runtime.dtype, device);
  // Who asks for a dtype gets it.
  const bool is_free = runtime.dtype == "auto" || runtime.weights != Weights::automatic;
  return Bundle(bundle, device, dtype, runtime.verify, is_free ? runtime.weights : Weights::exact);
}

}  // namespace moviechat
