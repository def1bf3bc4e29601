#include "eval/prediction.h"

#include "base/json.h"

#include "base/files.h"
#include "base/message.h"
#include "base/text.h"

namespace moviechat::eval {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kSchemaVersion = 1;

}  // namespace

std::vector<Failure> failures_of(const Prediction& prediction) {
  const std::string film = fmt::format("'{}'", prediction.video);
  if (prediction.error) return {{film, *prediction.error, true}};
  std::vector<Failure> failures;
  for (const Result& result : prediction.results) {
    if (result.error)
      failures.push_back({fmt::format("{} {}", film, result.id), *result.error, false});
  }
  return failures;
}

std::string to_line(const Prediction& prediction) {
  Json json = {{"schema_version", kSchemaVersion}};
  json.update(Json(prediction));
  return json_text(json);
}

Prediction parse_prediction(const std::string& line, const std::string& origin) {
  const Json json = parse_json<Json>(line);
  if (json.is_discarded()) throw input_error("{} {}", origin, json_fault(line));
  try {
    if (const int version = json.at("schema_version").get<int>(); version != kSchemaVersion) {
      throw input_error("schema_version is {}, expected {}", version, kSchemaVersion);
    }
    return json.get<Prediction>();
  } catch (const Json::exception& error) {
    throw input_error("{} is no prediction: {}", origin, json_fault(error));
  } catch (const InputError& error) {
    throw input_error("{}: {}", origin, error.what());
  }
}

std::vector<Prediction> read_predictions(const std::filesystem::path& file) {
  std::vector<Prediction> all;
  for_each_line(read_file(file, "predictions"), [&](int64_t number, std::string_view line) {
    all.push_back(
        parse_prediction(std::string(line), fmt::format("'{}' line {}", file.string(), number)));
  });
  return all;
}

}  // namespace moviechat::eval
