#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "moviechat/support/files.h"

namespace moviechat::eval {

/// A file of JSON lines that only grows. A line is on the disk when append() returns, whole or not
/// at all: what a crash left of an unfinished one is cut off at opening. One process at a time.
class LineLog {
 public:
  /// Opens or creates it.
  explicit LineLog(std::filesystem::path file);
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  /// Those that were there at opening.
  const std::vector<std::string>& lines() const { return lines_; }

  /// Error when it cannot be written; the file is as it was then.
  void append(std::string_view line);

 private:
  std::filesystem::path file_;
  std::vector<std::string> lines_;
  int descriptor_ = -1;
  long size_ = 0;
};

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
