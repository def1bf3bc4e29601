#pragma once

#include <c10/core/Device.h>

#include <functional>

#include "bundle/device_graph.h"

namespace moviechat::cuda {

/// record_graph, in a library of its own: the program links none of CUDA's. The caller owns what it
/// returns.
using GraphRecorder = DeviceGraph*(c10::DeviceIndex device, const std::function<void()>& work);

}  // namespace moviechat::cuda

extern "C" moviechat::cuda::GraphRecorder moviechat_record_cuda_graph;
