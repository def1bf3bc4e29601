// The header of a file of features: .safetensors and .npy.

#include "fuzz/fuzz.h"
#include "perception/feature_header.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moviechat;
  const std::string file = fuzz::text_of(data, size);
  const auto read = [&](int64_t offset, int64_t count) {
    if (offset < 0 || count < 0 || offset > std::ssize(file)) return std::string();
    return file.substr(static_cast<size_t>(offset), static_cast<size_t>(count));
  };
  fuzz::try_to([&] {
    const FeatureHeader header = read_feature_header(read, std::ssize(file), "'film'");
    int64_t bytes = static_cast<int64_t>(c10::elementSize(header.dtype));
    for (const int64_t n : header.shape) bytes *= n;
    if (header.offset < 0 || header.offset + bytes > std::ssize(file)) {
      throw Error("a tensor was taken that reaches beyond the file");
    }
  });
  return 0;
}
