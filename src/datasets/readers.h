#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/data_set.h"
#include "datasets/rows.h"

namespace moviechat::eval {

// One reader a kind. Each says where its shape is published.
std::vector<Film> read_moviechat_1k(const std::filesystem::path& path, const WarningSink& warn);
std::vector<Film> read_moviechat_1k_test(const std::filesystem::path& path,
                                         const WarningSink& warn);
std::vector<Film> read_msvd_qa(const std::filesystem::path& path, const WarningSink& warn);
std::vector<Film> read_msrvtt_qa(const std::filesystem::path& path, const WarningSink& warn);
std::vector<Film> read_activitynet_qa(const std::filesystem::path& path, const WarningSink& warn);
std::vector<Film> read_flash_vstream(const std::filesystem::path& path, const WarningSink& warn);
std::vector<Film> read_lmms_eval(const std::filesystem::path& path, const WarningSink& warn);
std::vector<Film> read_vlmevalkit(const std::filesystem::path& path, const WarningSink& warn);
std::vector<Film> read_jsonl(const std::filesystem::path& path, const WarningSink& warn);

/// Extension in lower case: "1.MP4" → ".mp4".
std::string extension_of(const std::filesystem::path& file);

/// Name of a video without folder and extension: "videos/1.mp4" → "1".
std::string stem_of(std::string_view video);

/// Rows in any order → films in the order in which they first appear, ids unique.
class FilmList {
 public:
  explicit FilmList(WarningSink warn) : warn_(std::move(warn)) {}

  /// The film of a name, new or known. Valid until the next one is asked for.
  Film& film(const std::string& name);

  /// Adds a question. An empty id becomes "FILM/g0" (about the film) or "FILM/b0" (a moment), each
  /// counted from 0; an id given twice gets "#2".
  void add(Film& film, Item item, const std::string& where);

  std::vector<Film> take() { return std::move(films_); }

 private:
  WarningSink warn_;
  std::vector<Film> films_;
  std::map<std::string, size_t> place_of_;  // film's name → place in films_
  std::set<std::string> ids_;
};

}  // namespace moviechat::eval
