#pragma once

#include <cstdlib>

#include "bundle/device.h"

namespace moviechat::testing {

/// Where models run in tests: MOVIECHAT_DEVICE, as for the program, or the CPU.
inline torch::Device test_device() {
  const char* given = std::getenv("MOVIECHAT_DEVICE");
  return choose_device(given == nullptr ? "cpu" : given);
}

}  // namespace moviechat::testing
