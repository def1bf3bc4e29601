#pragma once

#include "bundle/tensor.h"

#include <optional>
#include <string>

#include "base/process.h"

namespace moviechat {

/// cpu, cuda, cuda:1 or auto → a device that works. auto takes CUDA when there is one; cuda never
/// falls back: InputError says why there is none. CUDA's libraries are opened only here, on
/// request.
torch::Device choose_device(const std::string& name);

/// fp32, fp16, bf16 or auto → the dtype to compute in. auto: fp16 on CUDA; fp32 on a CPU, where
/// half-precision GEMM is slow.
torch::ScalarType choose_dtype(const std::string& name, torch::Device device);

/// fp32, fp16, bf16.
std::string dtype_name(torch::ScalarType dtype);

/// What libtorch's tensors take on an accelerator; nullopt on a CPU, where they are the host's.
std::optional<MemoryUse> device_memory(torch::Device device);

}  // namespace moviechat
