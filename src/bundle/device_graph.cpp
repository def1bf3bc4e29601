#include "bundle/device_graph.h"

#include <dlfcn.h>

#include <filesystem>

#include "bundle/cuda/graph.h"

namespace moviechat {
namespace {
namespace fs = std::filesystem;

/// The recorder of moviechat_cuda.so, beside the program or installed with it; nullptr where it was
/// not built. It needs CUDA's libraries, which are opened by now, as the work is on a GPU.
cuda::GraphRecorder* find_recorder() {
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& file :
       {folder / "moviechat_cuda.so", folder / ".." / MOVIECHAT_PLUGIN_DIR / "moviechat_cuda.so"}) {
    if (void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL); library != nullptr) {
      return reinterpret_cast<cuda::GraphRecorder*>(dlsym(library, "moviechat_record_cuda_graph"));
    }
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<DeviceGraph> record_graph(torch::Device device, const std::function<void()>& work) {
  if (!device.is_cuda()) return nullptr;
  static cuda::GraphRecorder* const record = find_recorder();
  return std::unique_ptr<DeviceGraph>(record == nullptr ? nullptr : record(device.index(), work));
}

}  // namespace moviechat
