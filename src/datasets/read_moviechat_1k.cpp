
#include <algorithm>
#include <cctype>

#include "base/message.h"
#include "datasets/readers.h"

namespace moviechat::eval {
namespace {

namespace fs = std::filesystem;

/// "2.json" before "10.json": runs of digits compare as numbers.
bool in_natural_order(const fs::path& a, const fs::path& b) {
  const std::string left = a.filename().string();
  const std::string right = b.filename().string();
  const auto digit = [](const std::string& text, size_t at) {
    return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]));
  };
  const auto number = [&](const std::string& text, size_t& at) {
    const size_t begin = std::min(text.find_first_not_of('0', at), text.size());
    for (at = begin; digit(text, at);) ++at;
    return text.substr(begin, at - begin);
  };
  size_t i = 0;
  size_t j = 0;
  while (i < left.size() && j < right.size()) {
    if (digit(left, i) && digit(right, j)) {
      const std::string p = number(left, i);
      const std::string q = number(right, j);
      if (p.size() != q.size()) return p.size() < q.size();
      if (p != q) return p < q;
    } else if (left[i] != right[j]) {
      return left[i] < right[j];
    } else {
      ++i;
      ++j;
    }
  }
  if (left.size() - i != right.size() - j) return left.size() - i < right.size() - j;
  return left < right;
}

std::vector<fs::path> annotation_files(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.is_regular_file() && extension_of(entry.path()) == ".json") {
      files.push_back(entry.path());
    }
  }
  if (files.empty()) {
    throw input_error("'{}' holds no .json file; expected one a video", path.string());
  }
  std::sort(files.begin(), files.end(), in_natural_order);
  return files;
}

void read_items(const Row& film_row, const std::string& key, const std::optional<std::string>& kind,
                const std::string& video, FilmList& films) {
  const auto list = film_row.fields().find(key);
  if (list == film_row.fields().end() || list->is_null()) return;
  if (!list->is_array()) {
    film_row.refuse(key, "must be a list, got " + std::string(list->type_name()));
  }
  const bool breakpoint = key == "breakpoint";
  int64_t number = 0;
  for (const nlohmann::json& entry : *list) {
    const Row row(entry, fmt::format("{} {} {}", film_row.where(), key, ++number));
    Item item;
    item.question = row.text({"question"});
    item.reference = row.optional_text({"answer"});
    item.category = row.optional_text({"category", "type", "kind"});
    if (!item.category) item.category = kind;
    if (breakpoint) {
      item.frame = row.count({"time"});
      if (!item.frame) row.refuse("time", "is missing; expected the breakpoint's frame index");
    }
    films.add(films.film(video), std::move(item), row.where());
  }
}

}  // namespace

/// A folder of JSON files, one a video; or one of those files.
///   {"info": {"video_path": "10.mp4", "fps": 24, "num_frame": 11520, "class": "movie", …},
///    "caption": …, "global": [{"question", "answer"}, …],
///    "breakpoint": [{"time": FRAME, "question", "answer"}, …]}
/// Published with MovieChat-1K (huggingface.co/datasets/Enxin/MovieChat-1K_train and -1K-test/gt);
/// read so by eval_code/result_prepare/run_inference_qa_moviechat.py of
/// github.com/rese1f/MovieChat, where `time` is a frame index (total_sec = time/fps). LOVEU'24
/// track 1 (sites.google.com/view/ loveucvpr24/track1) is the same without captions and with
/// answers left out or blank.
std::vector<Film> read_moviechat_1k(const fs::path& path, const WarningSink& warn) {
  FilmList films(warn);
  for (const fs::path& file : annotation_files(path)) {
    const std::string where = fmt::format("'{}'", file.string());
    const Row row(read_json(file), where);
    const auto info_field = row.fields().find("info");
    if (info_field == row.fields().end()) row.refuse("info", "is missing; expected an object");
    const Row info(*info_field, where + " info");
    const std::string video = info.text({"video_path"});
    const auto kind = info.optional_text({"class"});
    Film& film = films.film(video);
    film.fps = info.amount({"fps"});
    film.frames = info.count({"num_frame"});
    read_items(row, "global", kind, video, films);
    read_items(row, "breakpoint", kind, video, films);
  }
  return films.take();
}

}  // namespace moviechat::eval
