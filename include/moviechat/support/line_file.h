#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace moviechat {

/// A file that only grows, whole lines at a time: each line is on the disk when add() returns.
/// Lines never mix, whoever appends; a second program that opens it is refused. What a crash left
/// of a last line is cut off. One thread at a time.
class LineFile {
 public:
  /// Opens or makes the file and gives its whole lines, counted from 1. InputError names `what`
  /// when it cannot, or when another program has it open.
  LineFile(std::filesystem::path path, std::string_view what,
           const std::function<void(int64_t number, std::string_view line)>& each);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  /// `line` without its end. Error when the disk is full: nothing of the line remains then.
  void add(std::string_view line);

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace moviechat
