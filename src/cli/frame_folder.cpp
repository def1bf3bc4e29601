#include "cli/frame_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <vector>

#include "base/files.h"
#include "base/message.h"
#include "moviechat/error.h"

namespace moviechat::cli {
namespace fs = std::filesystem;

FrameFolder::FrameFolder(fs::path folder, int64_t width, int64_t height)
    : folder_(std::move(folder)), width_(width), height_(height) {
  std::error_code error;
  while (!folder_.has_filename() && folder_.has_relative_path()) folder_ = folder_.parent_path();
  if (fs::exists(folder_, error) &&
      !(fs::is_directory(folder_, error) && fs::is_empty(folder_, error))) {
    throw input_error("--frames {} is there already and not an empty folder; give a new one",
                      quoted(folder_));
  }
  if (fs::exists(folder_, error)) {
    // A folder can be put in place of an empty one, not of a link to it or of ".".
    const fs::path real = fs::canonical(folder_, error);
    if (!error) folder_ = real;
  } else if (fs::is_symlink(folder_, error)) {
    throw input_error("--frames {} is a link to nothing; give a new folder", quoted(folder_));
  }
  std::string name = folder_.string() + ".XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    const int why = errno;
    const std::string line =
        fmt::format("cannot make the folder {}: {}", quoted(folder_), std::strerror(why));
    if (why == ENOSPC || why == EDQUOT || why == EIO) throw Error(line);
    throw InputError(line);
  }
  temporary_ = name;
  ::chmod(name.c_str(), 0755);
}

FrameFolder::~FrameFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

std::string FrameFolder::add(const Shown& shown, std::span<const uint8_t> rgb) {
  if (last_pts_ != shown.pts) {
    last_file_ = fmt::format("{:06}.png", files_++);
    const size_t row = static_cast<size_t>(width_) * 3;
    cv::Mat bgr(static_cast<int>(height_), static_cast<int>(width_), CV_8UC3);
    for (int y = 0; y < bgr.rows; ++y) {
      const uint8_t* from = rgb.data() + static_cast<size_t>(y) * row;
      uint8_t* to = bgr.ptr<uint8_t>(y);
      for (size_t x = 0; x < row; x += 3) {
        to[x] = from[x + 2];
        to[x + 1] = from[x + 1];
        to[x + 2] = from[x];
      }
    }
    std::vector<uint8_t> png;
    cv::imencode(".png", bgr, png);
    write_file(temporary_ / last_file_, {reinterpret_cast<const char*>(png.data()), png.size()});
    last_pts_ = shown.pts;
  }
  return last_file_;
}

void FrameFolder::finish(const nlohmann::ordered_json& list) {
  write_file(temporary_ / "frames.json", list.dump(1) + "\n");
  if (::rename(temporary_.c_str(), folder_.c_str()) != 0) {
    throw Error(
        fmt::format("cannot make the folder {}: {}", quoted(folder_), std::strerror(errno)));
  }
  sync_folder(folder_.parent_path());
  temporary_.clear();
}

}  // namespace moviechat::cli
