#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "moviechat/eval/data_set.h"

namespace moviechat::eval {

/// What stands for a data set's films.
enum class FilmFiles { videos, features };

/// Finds the files of a data set's films in a folder and the folders below, whatever the case of
/// their names and their extension.
class VideoFolder {
 public:
  /// Lists the folder once. InputError when there is none.
  explicit VideoFolder(std::filesystem::path folder, FilmFiles files = FilmFiles::videos);

  /// InputError when there is no file of the film's names, or several that are equally like them.
  std::filesystem::path find(const Film& film) const;

 private:
  using Files = std::multimap<std::string, std::filesystem::path>;
  std::filesystem::path folder_;
  Files by_name_;  // in small letters
  Files by_stem_;
};

}  // namespace moviechat::eval
