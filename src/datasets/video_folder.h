#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "datasets/data_set.h"

namespace moviechat::eval {

/// Files that stand for a data set's films.
enum class FilmFiles { videos, features };

/// Folder with the files of a data set's films, those of the folders below included. Finds a film's
/// file whatever the case of its name, the composition of its letters, and its extension.
class VideoFolder {
 public:
  /// Lists the folder once. InputError when there is none.
  explicit VideoFolder(std::filesystem::path folder, FilmFiles files = FilmFiles::videos);

  const std::filesystem::path& path() const { return folder_; }

  /// The film's file, relative to path(). Of several, the one in the folders that are named counts,
  /// then one with a video's extension, then one of the very name. InputError when there is none,
  /// or when several are equally like it.
  std::filesystem::path find(const Film& film) const;

 private:
  using Files = std::map<std::string, std::vector<std::filesystem::path>>;
  /// Files of a name, else those whose name but for the extension it is, else those that differ in
  /// the extension.
  std::vector<std::filesystem::path> called(const std::string& file_name) const;

  std::filesystem::path folder_;
  Files by_name_;  // case-folded; relative to the folder
  Files by_stem_;
};

}  // namespace moviechat::eval
