#include "moviechat/support/line_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "moviechat/support/error.h"
#include "moviechat/support/files.h"

namespace moviechat {

LineFile::LineFile(std::filesystem::path path, std::string_view what,
                   const std::function<void(int64_t, std::string_view)>& each)
    : path_(std::move(path)) {
  const std::string name = std::string(what) + " '" + path_.string() + "'";
  fd_ = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw InputError("cannot open " + name + ": " + std::strerror(errno));
  try {
    if (!try_lock(fd_, path_)) {
      throw InputError(name + " is in use by another run; wait for its end");
    }
    const std::string contents = read_file(path_, what);
    int64_t number = 0;
    size_t begin = 0;
    for (size_t end; (end = contents.find('\n', begin)) != std::string::npos; begin = end + 1) {
      each(++number, std::string_view(contents).substr(begin, end - begin));
    }
    if (begin < contents.size() && ::ftruncate(fd_, static_cast<off_t>(begin)) != 0) {
      throw Error("cannot repair " + name + ": " + std::strerror(errno));
    }
    sync_folder(path_.parent_path());
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

LineFile::~LineFile() { ::close(fd_); }

void LineFile::add(std::string_view line) {
  const std::string whole = std::string(line) + '\n';
  const off_t before = ::lseek(fd_, 0, SEEK_END);
  size_t written = 0;
  while (written < whole.size()) {
    const ssize_t count = ::write(fd_, whole.data() + written, whole.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    written += static_cast<size_t>(count);
  }
  if (written == whole.size() && ::fdatasync(fd_) == 0) return;
  const std::string why = std::strerror(errno);
  if (::ftruncate(fd_, before) != 0) {  // the next opening cuts the torn line off
  }
  throw Error("cannot write '" + path_.string() + "': " + why);
}

}  // namespace moviechat
