#pragma once

#include <filesystem>

#include "base/files.h"

namespace moviechat::eval {

/// Holds a folder from construction to destruction or the process's end, however it ends.
class FolderLock {
 public:
  /// Exclusive: for one process, which writes; makes the folder. Shared: keeps others from writing
  /// while it is read, which need not be ours. InputError when another process holds it.
  explicit FolderLock(const std::filesystem::path& folder, Lock lock = Lock::exclusive);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;  // none where a folder is read that nobody has ever locked
};

}  // namespace moviechat::eval
