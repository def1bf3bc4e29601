#pragma once

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include "datasets/data_set.h"
#include "moviechat/error.h"
#include "support_for_tests/paths.h"

namespace moviechat::eval::testing {

struct File {
  std::string name;
  std::string text;
};

/// A folder with files of given contents.
class Annotations {
 public:
  Annotations(std::initializer_list<File> files) {
    for (const File& file : files) {
      std::ofstream(folder_ / file.name, std::ios::binary) << file.text;
    }
  }
  DataSet read(DataSetKind kind, const std::string& name = ".") {
    return read_data_set(kind, folder_ / name,
                         [this](const std::string& line) { warnings.push_back(line); });
  }
  /// The words of the InputError that reading ends in.
  std::string refusal(DataSetKind kind, const std::string& name = ".") {
    try {
      read(kind, name);
    } catch (const InputError& error) {
      return error.what();
    }
    return "read without an error";
  }
  std::vector<std::string> warnings;

 private:
  moviechat::testing::TemporaryFolder folder_;
};

}  // namespace moviechat::eval::testing
