#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "perception/feature_file.h"

namespace moviechat {

/// Bytes of a file: `count` from `offset` on, fewer at its end.
using ReadBytes = std::function<std::string(int64_t offset, int64_t count)>;

/// The beginning of a .npy or .safetensors file, told by its content → its header. `name` is the
/// quoted path, `size` the file's bytes. InputError names what is not as FeatureFile takes it.
FeatureHeader read_feature_header(const ReadBytes& read, int64_t size, const std::string& name);

}  // namespace moviechat
