#pragma once

#include "bundle/tensor.h"

#include <filesystem>
#include <map>
#include <string>
#include "base/json.h"

namespace moviechat::testing {

/// All tensors of a safetensors file, by name.
std::map<std::string, torch::Tensor> load_safetensors(const std::filesystem::path& path,
                                                      torch::Device device = torch::kCPU);

/// A JSON file of tests/data/golden.
nlohmann::json golden_json(const std::string& name);

/// Largest absolute difference; infinite when the shapes differ or a value is not finite.
double largest_difference(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace moviechat::testing
