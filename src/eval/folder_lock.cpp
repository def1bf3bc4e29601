#include "eval/folder_lock.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "base/message.h"

namespace moviechat::eval {
namespace fs = std::filesystem;

Descriptor lock_folder(const fs::path& folder, Lock lock) {
  const fs::path file = folder / "lock";
  if (lock == Lock::exclusive) {
    std::error_code failure;
    fs::create_directories(folder, failure);
    if (!fs::is_directory(folder)) {
      throw input_error("cannot make the folder '{}'{}", folder.string(),
                        failure ? ": " + failure.message() : ", there is a file of that name");
    }
  }
  const int flags = lock == Lock::shared ? O_RDONLY : O_RDWR | O_CREAT;
  Descriptor held(::open(file.c_str(), flags | O_CLOEXEC, 0644));
  if (held.get() < 0 && lock == Lock::exclusive) {
    throw input_error("cannot write '{}': {}", file.string(), std::strerror(errno));
  }
  if (held.get() >= 0 && !try_lock(held.get(), file, lock)) {
    throw input_error("'{}' is in use by another run; wait for its end{}", folder.string(),
                      lock == Lock::exclusive ? " or give another --out" : "");
  }
  return held;
}

}  // namespace moviechat::eval
