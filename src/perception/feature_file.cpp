#include "perception/feature_file.h"

#include <ATen/ops/isfinite.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "moviechat/error.h"
#include "perception/feature_header.h"

namespace moviechat {

/// Owns a file that is read at given places.
struct FeatureFile::Descriptor {
  explicit Descriptor(const std::filesystem::path& path)
      : name("'" + path.string() + "'"), fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd < 0) fail();
    struct stat status {};
    if (::fstat(fd, &status) != 0) fail();
    if (!S_ISREG(status.st_mode)) {
      throw InputError("features " + name +
                       " must be a file; scripts/convert features makes one of a folder");
    }
    size = status.st_size;
  }
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[noreturn]] void fail() const {
    throw InputError("cannot read features " + name + ": " + std::strerror(errno));
  }
  /// Bytes read, fewer than `count` at the file's end only.
  int64_t read(int64_t offset, char* bytes, int64_t count) const {
    int64_t done = 0;
    while (done < count) {
      const ssize_t got =
          ::pread(fd, bytes + done, static_cast<size_t>(count - done), offset + done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail();
      if (got == 0) break;
      done += got;
    }
    return done;
  }

  std::string name;
  int fd;
  int64_t size = 0;
};

FeatureFile::FeatureFile(const std::filesystem::path& path, FeatureTiming timing)
    : path_(path), file_(std::make_unique<Descriptor>(path)) {
  const auto read = [&](int64_t offset, int64_t count) {
    std::string bytes(static_cast<size_t>(count), '\0');
    bytes.resize(static_cast<size_t>(file_->read(offset, bytes.data(), count)));
    return bytes;
  };
  header_ = read_feature_header(read, file_->size, file_->name);

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

FeatureFile::~FeatureFile() = default;
FeatureFile::FeatureFile(FeatureFile&&) noexcept = default;
FeatureFile& FeatureFile::operator=(FeatureFile&&) noexcept = default;

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
  const int64_t got =
      file_->read(header_.offset + frame * bytes, static_cast<char*>(slot.data_ptr()), bytes);
  const std::string which = "features " + file_->name + ": frame " + std::to_string(frame) +
                            " of " + std::to_string(frames());
  if (got != bytes) throw InputError(which + " is cut off; copy the file again");
  if (!at::isfinite(slot).all().item<bool>()) {
    throw InputError(which +
                     " holds NaN or infinity; were they computed in fp16 and too large for it?");
  }
}

}  // namespace moviechat
