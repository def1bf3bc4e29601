#pragma once

#include "bundle/tensor.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "moviechat/time.h"
#include "moviechat/video.h"

namespace moviechat {

/// Where a file's tensor lies, and what else it says.
struct FeatureHeader {
  std::string format;  // npy, safetensors
  torch::ScalarType dtype = torch::kFloat;
  std::vector<int64_t> shape;  // [F, P, D]
  int64_t offset = 0;          // of its first byte
  FeatureTiming timing;
  std::vector<double> times;  // one a frame, ascending; empty: evenly
};

/// A file of vision features computed before, [F, P, D]: what the frame encoder's ViT gives for F
/// frames of a film. .npy, or .safetensors with one tensor of three dimensions; fp16, bf16 or fp32.
///
/// Frame i is on screen from i·D/F on, D being the film's duration: from `timing`, else from the
/// metadata that `scripts/convert features` writes (fps, duration, or a time for each frame), else
/// F seconds, which is a guess (TimesFrom::nowhere). Read frame by frame: memory does not grow with
/// the file. One thread at a time.
class FeatureFile {
 public:
  /// InputError when the file is not as above, or shorter than it says.
  explicit FeatureFile(const std::filesystem::path& path, FeatureTiming timing = {});

  const std::filesystem::path& path() const { return path_; }
  const FeatureHeader& header() const { return header_; }
  int64_t frames() const { return header_.shape[0]; }
  int64_t patches() const { return header_.shape[1]; }
  int64_t width() const { return header_.shape[2]; }
  Seconds duration() const { return duration_; }
  TimesFrom times_from() const { return times_from_; }

  /// When a frame comes on screen; of frame F: the film's end.
  Seconds time_of(int64_t frame) const;
  /// The frame on screen: the first before the film, the last after it.
  int64_t frame_at(Seconds time) const;

  /// A frame → `slot` [P, D] of the file's dtype, on the CPU. InputError when it holds NaN or
  /// infinity.
  void read(int64_t frame, const torch::Tensor& slot) const;

 private:
  int64_t read_bytes(int64_t offset, std::span<uint8_t> room) const;

  std::filesystem::path path_;
  Descriptor file_;
  FeatureHeader header_;
  Seconds duration_{0};
  TimesFrom times_from_ = TimesFrom::nowhere;
};

}  // namespace moviechat
