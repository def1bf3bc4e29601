#include "support_for_tests/safetensors.h"

#include <cstring>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "support_for_tests/paths.h"
#include "support_for_tests/tensors.h"

namespace moviechat::testing {

std::map<std::string, torch::Tensor> load_safetensors(const std::filesystem::path& path,
                                                      torch::Device device) {
  static const std::map<std::string, torch::ScalarType> kTypes = {{"F64", torch::kDouble},
                                                                  {"F32", torch::kFloat},
                                                                  {"F16", torch::kHalf},
                                                                  {"I64", torch::kLong},
                                                                  {"U8", torch::kByte}};
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  uint64_t header_size = 0;
  file.read(reinterpret_cast<char*>(&header_size), sizeof header_size);
  std::string header(header_size, '\0');
  file.read(header.data(), static_cast<std::streamsize>(header_size));
  const auto start = static_cast<std::streamoff>(sizeof header_size + header_size);
  std::map<std::string, torch::Tensor> tensors;
  const auto entries = nlohmann::json::parse(header);
  for (const auto& [name, entry] : entries.items()) {
    if (name == "__metadata__") continue;
    const auto shape = entry.at("shape").get<std::vector<int64_t>>();
    const auto offsets = entry.at("data_offsets").get<std::vector<int64_t>>();
    torch::Tensor tensor = torch::empty(shape, kTypes.at(entry.at("dtype").get<std::string>()));
    file.seekg(start + offsets.at(0));
    file.read(static_cast<char*>(tensor.data_ptr()), offsets.at(1) - offsets.at(0));
    tensors.emplace(name, tensor.to(device));
  }
  return tensors;
}

nlohmann::json golden_json(const std::string& name) {
  return nlohmann::json::parse(std::ifstream(golden(name)));
}

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (a.sizes() != b.sizes()) return kInfinite;
  if (a.numel() == 0) return 0;
  const torch::Tensor difference =
      (a.to(torch::kCPU, torch::kDouble) - b.to(torch::kCPU, torch::kDouble)).abs();
  if (!difference.isfinite().all().item<bool>()) return kInfinite;
  return difference.max().item<double>();
}

}  // namespace moviechat::testing
