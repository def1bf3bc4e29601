#include "datasets/data_set.h"

#include <algorithm>
#include "base/json.h"

#include "base/files.h"
#include "base/message.h"
#include "datasets/readers.h"

namespace moviechat::eval {
namespace {

using Reader = std::vector<Film> (*)(const std::filesystem::path& path, const WarningSink& warn);
constexpr std::pair<DataSetKind, Reader> kReaders[] = {
    {DataSetKind::moviechat_1k, read_moviechat_1k},
    {DataSetKind::moviechat_1k_test, read_moviechat_1k_test},
    {DataSetKind::loveu_24, read_moviechat_1k},
    {DataSetKind::msvd_qa, read_msvd_qa},
    {DataSetKind::msrvtt_qa, read_msrvtt_qa},
    {DataSetKind::activitynet_qa, read_activitynet_qa},
    {DataSetKind::flash_vstream, read_flash_vstream},
    {DataSetKind::lmms_eval, read_lmms_eval},
    {DataSetKind::vlmevalkit, read_vlmevalkit},
    {DataSetKind::jsonl, read_jsonl},
};

std::vector<Film> read_films(DataSetKind kind, const std::filesystem::path& annotations,
                             const WarningSink& warn) {
  for (const auto& [known, read] : kReaders) {
    if (known == kind) return read(annotations, warn);
  }
  throw Error("a kind of data set without a reader");
}

}  // namespace

int64_t DataSet::questions() const {
  int64_t count = 0;
  for (const Film& film : films) count += std::ssize(film.items);
  return count;
}

std::string DataSet::sha256() const {
  nlohmann::json all = nlohmann::json::array();
  for (const Film& film : films) {
    nlohmann::json items = nlohmann::json::array();
    for (const Item& item : film.items) {
      items.push_back({item.id, item.question, item.reference.value_or(""),
                       item.reference.has_value(), item.category.value_or(""),
                       item.frame.value_or(-1), item.at ? item.at->count() : -1.0});
    }
    all.push_back({film.name, film.id, film.file_names, film.fps.value_or(-1.0),
                   film.frames.value_or(-1), items});
  }
  return moviechat::sha256(json_text(all));
}

DataSet read_data_set(DataSetKind kind, const std::filesystem::path& annotations,
                      const WarningSink& warn) {
  if (!std::filesystem::exists(annotations)) {
    throw input_error("no annotations at '{}'; expected those of {}", annotations.string(),
                      name_of(kind));
  }
  DataSet data{kind, read_films(kind, annotations, warn)};
  if (data.questions() == 0) {
    throw input_error("'{}' holds no question; expected annotations of {}", annotations.string(),
                      name_of(kind));
  }
  return data;
}

DataSet only(DataSet data, Mode mode) {
  if (mode == Mode::both) return data;
  for (Film& film : data.films) {
    std::erase_if(film.items, [&](const Item& item) {
      return item.breakpoint() != (mode == Mode::breakpoint);
    });
  }
  std::erase_if(data.films, [](const Film& film) { return film.items.empty(); });
  return data;
}

}  // namespace moviechat::eval
