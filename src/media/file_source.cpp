#include "media/file_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/message.h"
#include "media/pipe_transfer.h"
#include "media/stream_source.h"

namespace moviechat {
namespace {

constexpr const char* kStandardInput = "/dev/stdin";

/// A regular file, read where asked.
class FileSource : public FilmSource {
 public:
  FileSource(const std::string& path, const ReaderOptions& options, Descriptor file)
      : FilmSource(path, options), file_(std::move(file)) {}

  size_t read(int64_t offset, std::span<uint8_t> room) override {
    check_cancel();
    const int64_t got = read_at(file_, offset, room);
    if (got < 0) {
      loss_ = std::strerror(errno);
      return 0;
    }
    count(static_cast<size_t>(got));
    return static_cast<size_t>(got);
  }

  std::optional<int64_t> size() const override {
    struct stat status = {};
    if (::fstat(file_.get(), &status) != 0) return std::nullopt;
    return status.st_size;
  }

  bool can_seek() const override { return true; }
  bool is_kept() const override { return true; }
  std::string loss() const override { return loss_; }

 private:
  Descriptor file_;
  std::string loss_;
};

}  // namespace

std::shared_ptr<FilmSource> open_local(const std::string& path, const ReaderOptions& options) {
  const auto fail = [&](const std::string& why) { throw input_error("video '{}' {}", path, why); };
  // Standard input may be a socket, which cannot be opened by this name.
  const bool standard_input = path == kStandardInput;
  struct stat status = {};
  if ((standard_input ? ::fstat(STDIN_FILENO, &status) : ::stat(path.c_str(), &status)) != 0) {
    const int code = errno;
    if (code == ENOENT || code == ENOTDIR) fail("does not exist; check the path");
    fail(std::string("cannot be looked up: ") + std::strerror(code));
  }
  if (S_ISDIR(status.st_mode)) fail("is a folder; expected a video file");
  const bool pipe = S_ISFIFO(status.st_mode) || (standard_input && S_ISSOCK(status.st_mode));
  if (!S_ISREG(status.st_mode) && !pipe) {
    if (standard_input && ::isatty(STDIN_FILENO) == 1) {
      fail("is a terminal; send a film into it: cat film.mp4 | moviechat --video - …");
    }
    fail("is a device or socket; expected a video file or a pipe");
  }
  // Opening a pipe must not wait for a writer.
  Descriptor file(standard_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail(std::string("cannot be opened: ") + std::strerror(errno));
  // A file that was read before it came here goes on from there.
  if (!pipe && (!standard_input || ::lseek(file.get(), 0, SEEK_CUR) == 0)) {
    if (status.st_size == 0) fail("is empty (0 bytes); expected a video file");
    return std::make_shared<FileSource>(path, options, std::move(file));
  }
  auto transfer = std::make_unique<PipeTransfer>(std::move(file), path, options.cancel,
                                                 /*wait_for_writer=*/!standard_input);
  return std::make_shared<StreamSource>(path, options, std::move(transfer));
}

}  // namespace moviechat
