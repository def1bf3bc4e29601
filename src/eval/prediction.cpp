#include "eval/prediction.h"

#include <sstream>
#include "base/json.h"

#include "base/files.h"
#include "moviechat/error.h"

namespace moviechat::eval {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kSchemaVersion = 1;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
std::optional<T> optional_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<T>();
}

Json json_of(const Result& result) {
  Json json;
  json["id"] = result.id;
  json["mode"] = name_of(result.mode);
  json["question"] = result.question;
  json["reference"] = or_null(result.reference);
  json["category"] = or_null(result.category);
  json["at"] = or_null(result.at);
  json["frame"] = or_null(result.frame);
  json["answer"] = or_null(result.answer);
  json["token_ids"] = result.token_ids;
  json["finish_reason"] = result.answer ? Json(result.finish_reason) : Json(nullptr);
  json["prompt_tokens"] = result.prompt_tokens;
  json["answer_tokens"] = result.answer_tokens;
  if (result.error) json["error"] = *result.error;
  if (!result.evidence) return json;
  json["evidence"] = Json::array();
  for (const EvidenceSpan& span : *result.evidence) {
    json["evidence"].push_back({{"start", span.start}, {"end", span.end}, {"score", span.score}});
  }
  return json;
}

Result result_of(const Json& json) {
  Result result;
  result.id = json.at("id").get<std::string>();
  from_text("mode", json.at("mode").get<std::string>(), result.mode);
  result.question = json.at("question").get<std::string>();
  result.reference = optional_of<std::string>(json.at("reference"));
  result.category = optional_of<std::string>(json.at("category"));
  result.at = optional_of<double>(json.at("at"));
  result.frame = optional_of<int64_t>(json.at("frame"));
  result.answer = optional_of<std::string>(json.at("answer"));
  result.token_ids = json.at("token_ids").get<std::vector<int64_t>>();
  result.finish_reason = optional_of<std::string>(json.at("finish_reason")).value_or("");
  result.prompt_tokens = json.at("prompt_tokens").get<int64_t>();
  result.answer_tokens = json.at("answer_tokens").get<int64_t>();
  if (json.contains("error")) result.error = json.at("error").get<std::string>();
  if (!json.contains("evidence")) return result;
  result.evidence.emplace();
  for (const Json& span : json.at("evidence")) {
    result.evidence->push_back({span.at("start").get<double>(), span.at("end").get<double>(),
                                span.at("score").get<double>()});
  }
  return result;
}

Prediction prediction_of(const Json& json) {
  if (const int version = json.at("schema_version").get<int>(); version != kSchemaVersion) {
    throw InputError("schema_version is " + std::to_string(version) + ", expected " +
                     std::to_string(kSchemaVersion));
  }
  Prediction prediction;
  prediction.index = json.at("index").get<int64_t>();
  prediction.video = json.at("video").get<std::string>();
  prediction.id = json.at("id").get<std::string>();
  prediction.file = optional_of<std::string>(json.value("file", Json()));
  prediction.sha256 = optional_of<std::string>(json.value("sha256", Json()));
  prediction.error = optional_of<std::string>(json.at("error"));
  if (const Json& info = json.at("video_info"); !info.is_null()) {
    prediction.video_info = {info.at("duration").get<double>(), info.at("fps").get<double>(),
                             info.at("frames").get<int64_t>()};
  }
  for (const Json& result : json.at("results")) prediction.results.push_back(result_of(result));
  const Json& counts = json.at("counts");
  prediction.counts = {.frames_decoded = counts.at("frames_decoded").get<int64_t>(),
                       .frames_encoded = counts.at("frames_encoded").get<int64_t>(),
                       .seeks = counts.at("seeks").get<int64_t>(),
                       .blocks_long = counts.at("blocks_long").get<int64_t>(),
                       .blocks_short = counts.at("blocks_short").get<int64_t>()};
  return prediction;
}

}  // namespace

std::vector<Failure> failures_of(const Prediction& prediction) {
  const std::string film = "'" + prediction.video + "'";
  if (prediction.error) return {{film, *prediction.error, true}};
  std::vector<Failure> failures;
  for (const Result& result : prediction.results) {
    if (result.error) failures.push_back({film + " " + result.id, *result.error, false});
  }
  return failures;
}

std::string to_line(const Prediction& prediction) {
  Json json;
  json["schema_version"] = kSchemaVersion;
  json["index"] = prediction.index;
  json["video"] = prediction.video;
  json["id"] = prediction.id;
  json["file"] = or_null(prediction.file);
  json["sha256"] = or_null(prediction.sha256);
  json["error"] = or_null(prediction.error);
  json["video_info"] = nullptr;
  if (const auto& info = prediction.video_info) {
    json["video_info"] = {
        {"duration", info->duration}, {"fps", info->fps}, {"frames", info->frames}};
  }
  json["results"] = Json::array();
  for (const Result& result : prediction.results) json["results"].push_back(json_of(result));
  const WorkCounts& counts = prediction.counts;
  json["counts"] = {{"frames_decoded", counts.frames_decoded},
                    {"frames_encoded", counts.frames_encoded},
                    {"seeks", counts.seeks},
                    {"blocks_long", counts.blocks_long},
                    {"blocks_short", counts.blocks_short}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Prediction parse_prediction(const std::string& line, const std::string& origin) {
  const Json json = parse_json<Json>(line);
  if (json.is_discarded()) throw InputError(origin + " " + json_fault(line));
  try {
    return prediction_of(json);
  } catch (const Json::exception& error) {
    throw InputError(origin + " is no prediction: " + json_fault(error));
  } catch (const InputError& error) {
    throw InputError(origin + ": " + error.what());
  }
}

std::vector<Prediction> read_predictions(const std::filesystem::path& file) {
  std::istringstream lines(read_file(file, "predictions"));
  std::vector<Prediction> all;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    all.push_back(parse_prediction(line, "'" + file.string() + "' line " + std::to_string(number)));
  }
  return all;
}

}  // namespace moviechat::eval
