#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "base/descriptor.h"

namespace moviechat {

/// A file of records that only grows, a line at a time: each line is on the disk when add()
/// returns, whole or not at all. Lines never mix, whoever appends; a second program that opens it
/// is refused. A file of others is refused and left as it is. One thread at a time.
class LineFile {
 public:
  /// Takes a line that was there, counted from 1. InputError when it is no such record.
  using Take = std::function<void(int64_t number, std::string_view line)>;

  /// Opens or makes the file and takes its lines. `begin` is what every record begins with
  /// ("{\"key\":"): what a crash left of a last one is known by it and cut off. InputError names
  /// `what` when the file holds anything else, cannot be opened, or is open in another program.
  LineFile(std::filesystem::path path, std::string_view what, std::string_view begin,
           const Take& take);

  /// `line` without its end. Error when it cannot be written: nothing of the line remains then.
  void add(std::string_view line);

 private:
  void take_lines(std::string_view what, std::string_view begin, const Take& take);

  std::filesystem::path path_;
  Descriptor file_;
};

}  // namespace moviechat
