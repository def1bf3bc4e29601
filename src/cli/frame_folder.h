#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include "base/json.h"

#include "media/frame_reader.h"

namespace moviechat::cli {

/// Frames → a folder of PNG files with frames.json. A frame that repeats the one before it shares
/// its file. The folder appears whole, by finish(), or not at all. One thread at a time.
class FrameFolder {
 public:
  /// InputError when there is something at `folder` already (an empty folder is fine).
  FrameFolder(std::filesystem::path folder, int64_t width, int64_t height);
  ~FrameFolder();
  FrameFolder(const FrameFolder&) = delete;
  FrameFolder& operator=(const FrameFolder&) = delete;

  /// `rgb` [height, width, 3]. Gives the file's name.
  std::string add(const Shown& shown, std::span<const uint8_t> rgb);
  /// `list` is what frames.json says.
  void finish(const nlohmann::ordered_json& list);

 private:
  std::filesystem::path folder_;
  std::filesystem::path temporary_;
  int64_t width_;
  int64_t height_;
  int64_t files_ = 0;
  std::optional<int64_t> last_pts_;
  std::string last_file_;
};

}  // namespace moviechat::cli
