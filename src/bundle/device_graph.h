#pragma once

#include "bundle/tensor.h"

#include <functional>
#include <memory>

namespace moviechat {

/// What a GPU does, recorded once and launched as a whole: to launch the kernels of a decoding step
/// one by one takes longer than they run. It reads and writes the tensors that it was recorded
/// with; the memory that the work allocated is its own.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  /// Does not wait for the device.
  virtual void replay() = 0;
};

/// Runs `work` once, then records it. nullptr where that cannot be, and `work` is to be called
/// instead: on a CPU, in a build without CUDA's headers, and where the work waits for the device.
/// What `work` throws on its run is thrown.
std::unique_ptr<DeviceGraph> record_graph(torch::Device device, const std::function<void()>& work);

}  // namespace moviechat
