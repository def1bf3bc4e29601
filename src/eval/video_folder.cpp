#include "moviechat/eval/video_folder.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "eval/readers.h"
#include "moviechat/support/error.h"

namespace moviechat::eval {
namespace fs = std::filesystem;
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// What lies beside videos and is none.
bool lies_beside(const fs::path& file) {
  static const std::set<std::string> others = {
      ".json", ".jsonl", ".csv", ".tsv", ".txt", ".srt", ".vtt", ".ass",  ".md",   ".yaml",
      ".npy",  ".npz",   ".pt",  ".jpg", ".png", ".wav", ".mp3", ".part", ".flac", ".safetensors"};
  return others.count(lower(file.extension().string())) > 0;
}

bool is_features(const fs::path& file) {
  const std::string extension = lower(file.extension().string());
  return extension == ".npy" || extension == ".safetensors";
}

}  // namespace

VideoFolder::VideoFolder(fs::path folder, FilmFiles files) : folder_(std::move(folder)) {
  if (!fs::is_directory(folder_)) {
    throw InputError("expected a folder of films, got '" + folder_.string() + "'");
  }
  const auto options = fs::directory_options::follow_directory_symlink |
                       fs::directory_options::skip_permission_denied;
  for (const auto& entry : fs::recursive_directory_iterator(folder_, options)) {
    std::error_code ignored;
    const fs::path& file = entry.path();
    if (!entry.is_regular_file(ignored)) continue;
    if (files == FilmFiles::videos ? lies_beside(file) : !is_features(file)) continue;
    const std::string name = file.filename().string();
    by_name_.emplace(lower(name), file);
    by_stem_.emplace(lower(stem_of(name)), file);
  }
}

fs::path VideoFolder::find(const Film& film) const {
  for (const std::string& name : film.file_names) {
    std::error_code ignored;
    const fs::path relative = fs::path(name).lexically_normal();
    const bool inside = relative.is_relative() && *relative.begin() != "..";
    if (inside && fs::is_regular_file(folder_ / relative, ignored)) return folder_ / relative;
    const std::string file_name = lower(fs::path(name).filename().string());
    for (const auto& [files, key] :
         {std::pair{&by_name_, file_name}, std::pair{&by_stem_, file_name},
          std::pair{&by_stem_, lower(stem_of(file_name))}}) {
      const auto [begin, end] = files->equal_range(key);
      if (begin == end) continue;
      if (std::next(begin) == end) return begin->second;
      std::vector<std::string> found;
      for (auto file = begin; file != end; ++file) {
        found.push_back(file->second.lexically_relative(folder_).string());
      }
      std::sort(found.begin(), found.end());
      throw InputError("'" + film.name + "' may be '" + found[0] + "' or '" + found[1] +
                       "'; keep one of them");
    }
  }
  throw InputError("there is no film called '" + film.file_names[0] +
                   "', in any case and with any extension");
}

}  // namespace moviechat::eval
