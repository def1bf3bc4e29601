#include "eval/folder_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "moviechat/error.h"

namespace moviechat::eval {
namespace fs = std::filesystem;

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
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
      throw InputError("cannot write '" + file.string() + "': " + std::strerror(errno));
    }
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
