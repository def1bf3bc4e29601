#include "bundle/cuda/graph.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>

#include <exception>
#include <map>
#include <memory>
#include <mutex>

namespace moviechat::cuda {
namespace {

class CudaGraph : public DeviceGraph {
 public:
  /// On the current stream; false when the work cannot be recorded.
  bool record(const std::function<void()>& work) {
    try {
      // Other threads may allocate meanwhile.
      graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
      work();
      graph_.capture_end();
      return true;
    } catch (const std::exception&) {
      abandon();
      return false;
    }
  }
  void replay() override { graph_.replay(); }

 private:
  void abandon() {
    try {
      graph_.capture_end();
    } catch (const std::exception&) {  // as it must
    }
    cudaGetLastError();  // which the next call would be blamed for
  }

  at::cuda::CUDAGraph graph_;
};

/// One a device: libraries keep buffers for every stream that they have seen. One thread at a time.
c10::cuda::CUDAStream recording_stream(c10::DeviceIndex device) {
  static std::map<c10::DeviceIndex, c10::cuda::CUDAStream> streams;
  const auto known = streams.find(device);
  if (known != streams.end()) return known->second;
  return streams.emplace(device, c10::cuda::getStreamFromPool(false, device)).first->second;
}

}  // namespace
}  // namespace moviechat::cuda

moviechat::DeviceGraph* moviechat_record_cuda_graph(c10::DeviceIndex device,
                                                    const std::function<void()>& work) {
  using namespace moviechat::cuda;
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  const c10::cuda::CUDAGuard on_device(device);
  c10::cuda::getCurrentCUDAStream().synchronize();  // what the work reads is there
  const c10::cuda::CUDAStream stream = recording_stream(device);
  const c10::cuda::CUDAStreamGuard on_stream(stream);  // CUDA's default one cannot be recorded
  work();  // what libraries set up on first use cannot be recorded
  stream.synchronize();
  auto graph = std::make_unique<CudaGraph>();
  return graph->record(work) ? graph.release() : nullptr;
}
