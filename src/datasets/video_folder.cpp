#include "datasets/video_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <set>

#include "base/message.h"
#include "base/utf8.h"
#include "datasets/readers.h"

namespace moviechat::eval {
namespace fs = std::filesystem;
namespace {

using Names = std::set<std::string>;

bool is_features(const fs::path& file) {
  static const Names features = {".npy", ".safetensors"};
  return features.contains(extension_of(file));
}

/// Whether a file is a video by its name; others may be, too.
bool is_video(const fs::path& file) {
  static const Names videos = {".mp4", ".m4v", ".mov", ".mkv",  ".webm", ".avi", ".mpg",  ".mpeg",
                               ".m2v", ".ts",  ".mts", ".vob",  ".m2ts", ".flv", ".f4v",  ".wmv",
                               ".asf", ".3gp", ".3g2", ".ogv",  ".ogm",  ".rm",  ".rmvb", ".divx",
                               ".mxf", ".y4m", ".ivf", ".h264", ".264",  ".hevc"};
  return videos.contains(extension_of(file));
}

/// Whether a file is of a kind that lies beside videos.
bool lies_beside(const fs::path& file) {
  static const Names others = {".json", ".jsonl", ".csv",  ".tsv",  ".txt", ".srt",
                               ".vtt",  ".ass",   ".md",   ".yaml", ".npy", ".npz",
                               ".pt",   ".jpg",   ".png",  ".wav",  ".mp3", ".part",
                               ".flac", ".webp",  ".jpeg", ".h5",   ".xml", ".safetensors"};
  return others.contains(extension_of(file));
}

/// Regular files in a folder and the folders below it, those that links name included: every folder
/// once, whatever names it, by the name that goes through the fewest links.
std::vector<fs::path> files_below(const fs::path& top) {
  std::vector<fs::path> files;
  std::set<std::pair<dev_t, ino_t>> visited;
  std::deque<fs::path> folders = {top};
  std::set<fs::path> links;
  while (!folders.empty() || !links.empty()) {
    if (folders.empty()) folders.push_back(links.extract(links.begin()).value());
    const fs::path folder = std::move(folders.front());
    folders.pop_front();
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) continue;
    if (!visited.emplace(status.st_dev, status.st_ino).second) continue;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
      std::error_code ignored;
      if (entry->is_regular_file(ignored)) files.push_back(entry->path());
      if (!entry->is_directory(ignored)) continue;
      if (entry->is_symlink(ignored)) {
        links.insert(entry->path());
      } else {
        folders.push_back(entry->path());
      }
    }
  }
  return files;
}

/// How well a file's folder is the one that is named: folders in common from the last on, and
/// whether that is all of them.
std::pair<int64_t, bool> alike(const fs::path& named, const fs::path& folder) {
  std::vector<std::string> left;
  std::vector<std::string> right;
  for (const fs::path& part : named) left.push_back(case_folded(part.string()));
  for (const fs::path& part : folder) right.push_back(case_folded(part.string()));
  const auto differ = std::mismatch(left.rbegin(), left.rend(), right.rbegin(), right.rend());
  return {differ.first - left.rbegin(), left == right};
}

/// Keeps those for which `value` is largest.
template <class Value>
void keep_best(std::vector<fs::path>& files, Value value) {
  if (files.size() < 2) return;
  auto best = value(files[0]);
  for (const fs::path& file : files) best = std::max(best, value(file));
  std::erase_if(files, [&](const fs::path& file) { return value(file) < best; });
}

}  // namespace

VideoFolder::VideoFolder(fs::path folder, FilmFiles files) : folder_(std::move(folder)) {
  if (!fs::is_directory(folder_)) {
    throw input_error("expected a folder of films, got '{}'", folder_.string());
  }
  for (const fs::path& file : files_below(folder_)) {
    if (files == FilmFiles::videos ? lies_beside(file) : !is_features(file)) continue;
    const std::string name = file.filename().string();
    const fs::path relative = file.lexically_relative(folder_);
    by_name_[case_folded(name)].push_back(relative);
    by_stem_[case_folded(stem_of(name))].push_back(relative);
  }
}

std::vector<fs::path> VideoFolder::called(const std::string& file_name) const {
  const std::string whole = case_folded(file_name);
  for (const auto& [files, key] : {std::pair{&by_name_, whole}, std::pair{&by_stem_, whole},
                                   std::pair{&by_stem_, case_folded(stem_of(file_name))}}) {
    if (const auto found = files->find(key); found != files->end()) return found->second;
  }
  return {};
}

fs::path VideoFolder::find(const Film& film) const {
  for (const std::string& name : film.file_names) {
    std::error_code ignored;
    const fs::path named = fs::path(name).lexically_normal();
    const bool inside = named.is_relative() && *named.begin() != "..";
    if (inside && fs::is_regular_file(folder_ / named, ignored)) return named;
    const std::string file_name = named.filename().string();
    std::vector<fs::path> found = called(file_name);
    keep_best(found,
              [&](const fs::path& file) { return alike(named.parent_path(), file.parent_path()); });
    keep_best(found, is_video);
    keep_best(found, [&](const fs::path& file) {
      return stem_of(file.filename().string()) == stem_of(file_name);
    });
    if (found.size() == 1) return found[0];
    if (found.empty()) continue;
    std::sort(found.begin(), found.end());
    throw input_error("'{}' may be '{}' or '{}'; keep one of them", film.name, found[0].string(),
                      found[1].string());
  }
  throw input_error("there is no film called '{}', in any case and with any extension",
                    film.file_names[0]);
}

}  // namespace moviechat::eval
