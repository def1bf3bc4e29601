#include "eval/moviechat_format.h"

#include "base/json.h"

#include "base/files.h"

namespace moviechat::eval {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kOfLongFilms[2] = {"moviechat_global.json", "moviechat_breakpoint.json"};
constexpr const char* kOfShortVideos = "moviechat_qa.json";

void write(const std::filesystem::path& file, const Json& json) {
  write_file(file, json_text(json, 1) + "\n");
}

bool is_short(DataSetKind kind) {
  return kind == DataSetKind::msvd_qa || kind == DataSetKind::msrvtt_qa ||
         kind == DataSetKind::activitynet_qa || kind == DataSetKind::flash_vstream;
}

}  // namespace

void write_moviechat_format(const std::filesystem::path& folder, DataSetKind kind,
                            const std::vector<Prediction>& rows) {
  Json list = Json::array();
  Json by_film[2] = {Json::object(), Json::object()};
  for (const Prediction& row : rows) {
    for (const Result& result : row.results) {
      if (!result.answer) continue;
      Json item;
      if (is_short(kind)) item["id"] = result.id;
      if (result.mode == Mode::breakpoint && result.frame) item["time"] = *result.frame;
      item["question"] = result.question;
      item["answer"] = result.reference.value_or("");
      item["pred"] = *result.answer;
      if (is_short(kind)) {
        list.push_back(std::move(item));
      } else {
        by_film[result.mode == Mode::breakpoint][row.video].push_back(std::move(item));
      }
    }
  }
  if (is_short(kind)) {
    write(folder / kOfShortVideos, list);
  } else {
    for (size_t i = 0; i < 2; ++i) write(folder / kOfLongFilms[i], by_film[i]);
  }
}

std::vector<std::string> files_of_moviechat_format() {
  return {kOfLongFilms[0], kOfLongFilms[1], kOfShortVideos};
}

}  // namespace moviechat::eval
