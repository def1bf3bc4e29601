#include "perception/feature_file.h"

#include <ATen/ops/isfinite.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "base/files.h"
#include "base/message.h"
#include "perception/feature_header.h"

namespace moviechat {

namespace {

[[noreturn]] void cannot_read(const std::filesystem::path& path) {
  throw input_error("cannot read features {}: {}", quoted(path), std::strerror(errno));
}

}  // namespace

FeatureFile::FeatureFile(const std::filesystem::path& path, FeatureTiming timing)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status {};
  if (file_.get() < 0 || ::fstat(file_.get(), &status) != 0) cannot_read(path);
  if (!S_ISREG(status.st_mode)) {
    throw input_error("features {} must be a file; scripts/convert features makes one of a folder",
                      quoted(path));
  }
  const auto read = [&](int64_t offset, int64_t count) {
    std::string bytes(static_cast<size_t>(count), '\0');
    const int64_t got =
        read_bytes(offset, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
    bytes.resize(static_cast<size_t>(got));
    return bytes;
  };
  header_ = read_feature_header(read, status.st_size, quoted(path));

  if (timing.fps || timing.duration) {
    header_.timing = timing;
    header_.times.clear();
    times_from_ = TimesFrom::given;
  } else if (header_.timing.fps || header_.timing.duration) {
    times_from_ = TimesFrom::file;
  }
  const auto count = static_cast<double>(frames());
  duration_ = header_.timing.duration.value_or(Seconds(count / header_.timing.fps.value_or(1)));
}

int64_t FeatureFile::read_bytes(int64_t offset, std::span<uint8_t> room) const {
  const int64_t got = read_at(file_, offset, room);
  if (got < 0) cannot_read(path_);
  return got;
}

Seconds FeatureFile::time_of(int64_t frame) const {
  if (frame >= frames()) return duration_;
  if (!header_.times.empty()) return Seconds(header_.times[static_cast<size_t>(frame)]);
  return duration_ * (static_cast<double>(frame) / static_cast<double>(frames()));
}

int64_t FeatureFile::frame_at(Seconds time) const {
  constexpr double kRounding = 1e-6;  // of a frame: t = i·D/F is frame i
  int64_t frame = 0;
  if (header_.times.empty()) {
    const double position = time / duration_ * static_cast<double>(frames()) + kRounding;
    frame = static_cast<int64_t>(std::floor(std::clamp(position, 0.0, 1e15)));
  } else {
    const double slack = kRounding * duration_.count() / static_cast<double>(frames());
    const auto later =
        std::upper_bound(header_.times.begin(), header_.times.end(), time.count() + slack);
    frame = later - header_.times.begin() - 1;
  }
  return std::clamp<int64_t>(frame, 0, frames() - 1);
}

void FeatureFile::read(int64_t frame, const torch::Tensor& slot) const {
  const auto bytes = static_cast<int64_t>(slot.nbytes());
  const int64_t got = read_bytes(header_.offset + frame * bytes,
                                 {static_cast<uint8_t*>(slot.data_ptr()), slot.nbytes()});
  const std::string which =
      fmt::format("features {}: frame {} of {}", quoted(path_), frame, frames());
  if (got != bytes) throw InputError(which + " is cut off; copy the file again");
  if (!at::isfinite(slot).all().item<bool>()) {
    throw InputError(which +
                     " holds NaN or infinity; were they computed in fp16 and too large for it?");
  }
}

}  // namespace moviechat
