#include "eval/line_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include "moviechat/support/json.h"

#include "moviechat/support/error.h"
#include "moviechat/support/files.h"

namespace moviechat::eval {
namespace fs = std::filesystem;
namespace {

std::string reason() { return std::strerror(errno); }

int open_file(const fs::path& file, int flags) {
  const int descriptor = ::open(file.c_str(), flags | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    throw InputError("cannot write '" + file.string() + "': " + reason());
  }
  return descriptor;
}

}  // namespace

LineLog::LineLog(fs::path file) : file_(std::move(file)) {
  descriptor_ = open_file(file_, O_RDWR | O_APPEND);
  const std::string text = read_file(file_, "file");
  size_t begin = 0;
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines_.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  // A machine that lost power may have kept a file's length and not its contents.
  while (!lines_.empty() && !nlohmann::json::accept(lines_.back())) {
    begin -= lines_.back().size() + 1;
    lines_.pop_back();
  }
  size_ = static_cast<long>(begin);
  if (begin < text.size() && (::ftruncate(descriptor_, size_) != 0 || ::fsync(descriptor_) != 0)) {
    const std::string why = reason();
    ::close(descriptor_);
    throw Error("cannot cut the unfinished line off '" + file_.string() + "': " + why);
  }
  sync_folder(file_.parent_path());
}

LineLog::~LineLog() { ::close(descriptor_); }

void LineLog::append(std::string_view line) {
  const std::string whole = std::string(line) + "\n";
  std::string_view rest = whole;
  while (!rest.empty()) {
    const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    rest.remove_prefix(static_cast<size_t>(count));
  }
  if (!rest.empty() || ::fsync(descriptor_) != 0) {
    const std::string why = reason();
    [[maybe_unused]] const int cut = ::ftruncate(descriptor_, size_);
    throw Error("cannot write '" + file_.string() + "': " + why +
                "; what was answered before is kept");
  }
  size_ += static_cast<long>(whole.size());
}

FolderLock::FolderLock(const fs::path& folder, Lock lock) {
  const fs::path file = folder / "lock";
  if (lock == Lock::shared) {
    descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) return;
  } else {
    std::error_code failure;
    fs::create_directories(folder, failure);
    if (!fs::is_directory(folder)) {
      throw InputError("cannot make the folder '" + folder.string() + "'" +
                       (failure ? ": " + failure.message() : ", there is a file of that name"));
    }
    descriptor_ = open_file(file, O_RDWR);
  }
  try {
    if (try_lock(descriptor_, file, lock)) return;
    throw InputError("'" + folder.string() + "' is in use by another run; wait for its end" +
                     (lock == Lock::exclusive ? " or give another --out" : ""));
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace moviechat::eval
