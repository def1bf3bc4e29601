#include "bundle/device.h"

#include <ATen/Context.h>

#include <c10/core/CachingDeviceAllocator.h>
#include <dlfcn.h>

#include <filesystem>

#include "moviechat/error.h"

namespace moviechat {
namespace {

/// Opens libtorch_cuda, which registers CUDA's kernels; returns why CUDA cannot be used, or "" when
/// it can.
std::string open_cuda() {
  if (dlopen("libcuda.so.1", RTLD_LAZY) == nullptr) return "no NVIDIA driver (libcuda.so.1)";
  Dl_info here{};
  const auto anchor = reinterpret_cast<const void*>(&at::globalContext);
  if (dladdr(anchor, &here) == 0) return "libtorch's folder is unknown";
  const auto folder = std::filesystem::path(here.dli_fname).parent_path();
  if (dlopen((folder / "libtorch_cuda.so").c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    return std::string("this libtorch has no CUDA: ") + dlerror();
  }
  if (!at::hasCUDA()) return "no CUDA device";
  // cuDNN's attention compiles a kernel for every new length, which takes longer than it saves:
  // every question has another.
  at::globalContext().setSDPUseCuDNN(false);
  return "";
}

int64_t cuda_devices() {
  return at::globalContext().getAcceleratorHooksInterface(at::kCUDA).deviceCount();
}

}  // namespace

torch::Device choose_device(const std::string& name) {
  if (name == "cpu") return torch::kCPU;
  if (name == "auto")
    return open_cuda().empty() && cuda_devices() > 0 ? torch::Device(torch::kCUDA, 0)
                                                     : torch::Device(torch::kCPU);
  const std::string index = name.starts_with("cuda:") ? name.substr(5) : "0";
  const bool number = !index.empty() && index.size() <= 3 &&
                      index.find_first_not_of("0123456789") == std::string::npos;
  if ((name != "cuda" && !name.starts_with("cuda:")) || !number) {
    throw InputError("device must be cpu, cuda, cuda:INDEX or auto, got '" + name + "'");
  }
  if (const std::string why = open_cuda(); !why.empty()) {
    throw InputError(
        "device " + name + " cannot be used: " + why +
        "; set runtime.device to cpu, or install the driver and a CUDA build of libtorch");
  }
  const int64_t wanted = std::stoll(index);
  if (wanted >= cuda_devices()) {
    throw InputError("device " + name + " cannot be used: found " + std::to_string(cuda_devices()) +
                     " CUDA device(s), counted from 0");
  }
  return {torch::kCUDA, static_cast<c10::DeviceIndex>(wanted)};
}

torch::ScalarType choose_dtype(const std::string& name, torch::Device device) {
  if (name == "fp32") return torch::kFloat;
  if (name == "fp16") return torch::kHalf;
  if (name == "bf16") return torch::kBFloat16;
  if (name == "auto") return device.is_cuda() ? torch::kHalf : torch::kFloat;
  throw InputError("dtype must be fp32, fp16, bf16 or auto, got '" + name + "'");
}

std::string dtype_name(torch::ScalarType dtype) {
  switch (dtype) {
    case torch::kHalf:
      return "fp16";
    case torch::kBFloat16:
      return "bf16";
    default:
      return "fp32";
  }
}

std::optional<MemoryUse> device_memory(torch::Device device) {
  if (device.is_cpu()) return std::nullopt;
  const auto total = static_cast<size_t>(c10::CachingDeviceAllocator::StatType::AGGREGATE);
  const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  return MemoryUse{stats.allocated_bytes.at(total).current, stats.allocated_bytes.at(total).peak};
}

}  // namespace moviechat
