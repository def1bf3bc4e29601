#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/utf8.h"
#include "datasets/readers.h"

namespace moviechat::eval {
namespace {

/// ".mp4", ".MKV", ".webm", ".3gp": short, and has a letter, so that "clip.10" has none.
bool is_extension(std::string_view text) {
  const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
  return text.size() >= 3 && text.size() <= 5 &&
         std::any_of(text.begin() + 1, text.end(), is_letter) &&
         std::all_of(text.begin() + 1, text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0; });
}

}  // namespace

std::string extension_of(const std::filesystem::path& file) {
  return case_folded(file.extension().string());
}

std::string stem_of(std::string_view video) {
  if (const size_t slash = video.find_last_of("/\\"); slash != std::string_view::npos) {
    video.remove_prefix(slash + 1);
  }
  const size_t dot = video.find_last_of('.');
  if (dot != std::string_view::npos && dot > 0 && is_extension(video.substr(dot))) {
    video = video.substr(0, dot);
  }
  return std::string(video);
}

Film& FilmList::film(const std::string& name) {
  const auto [known, is_new] = place_of_.emplace(name, films_.size());
  if (is_new) films_.push_back({name, stem_of(name), {name}, {}, {}, {}});
  return films_[known->second];
}

void FilmList::add(Film& film, Item item, const std::string& where) {
  if (item.id.empty()) {
    const auto same_mode =
        std::count_if(film.items.begin(), film.items.end(),
                      [&](const Item& other) { return other.breakpoint() == item.breakpoint(); });
    item.id = film.id + (item.breakpoint() ? "/b" : "/g") + std::to_string(same_mode);
  } else if (ids_.count(item.id) > 0 && warn_) {
    warn_(fmt::format("{}: id '{}' is given twice; the later one gets a number", where, item.id));
  }
  const std::string wanted = item.id;
  for (int number = 2; !ids_.insert(item.id).second; ++number) {
    item.id = fmt::format("{}#{}", wanted, number);
  }
  film.items.push_back(std::move(item));
}

}  // namespace moviechat::eval
