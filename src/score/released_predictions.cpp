#include "score/released_predictions.h"

#include <map>
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"

#include "base/message.h"

namespace moviechat::score {
namespace {

using Json = nlohmann::ordered_json;

std::string text_at(const Json& json, const char* key) {
  const Json& value = json.at(key);
  // Annotations hold numbers as answers here and there.
  return value.is_string() ? value.get<std::string>() : value.dump();
}

eval::Result result_of(const Json& json) {
  eval::Result result;
  result.question = text_at(json, "question");
  if (json.contains("answer") && !json["answer"].is_null()) {
    result.reference = text_at(json, "answer");
    if (result.reference->empty()) result.reference.reset();
  }
  result.answer = text_at(json, "pred");
  // reference: pred = qa_pair['pred'].replace("</s>", "")
  constexpr std::string_view kEnd = "</s>";
  for (size_t at; (at = result.answer->find(kEnd)) != std::string::npos;) {
    result.answer->erase(at, kEnd.size());
  }
  if (json.contains("time")) {
    result.mode = eval::Mode::breakpoint;
    if (json["time"].is_number_integer()) result.frame = json["time"].get<int64_t>();
  }
  if (json.contains("kind") && json["kind"].is_string()) {
    result.category = json["kind"].get<std::string>();
  }
  return result;
}

/// The videos of several objects: the authors' script writes global and breakpoint answers apart.
class Films {
 public:
  void add(const std::string& name, const Json& answers) {
    if (!answers.is_array()) throw input_error("'{}' must hold a list of answers", name);
    for (const Json& answer : answers) add_answer(name, answer);
  }
  void add_answer(const std::string& name, const Json& answer) {
    const auto [known, is_new] = place_of_.emplace(name, films_.size());
    if (is_new) {
      films_.emplace_back();
      films_.back().index = static_cast<int64_t>(known->second);
      films_.back().video = name;
      films_.back().id = name;
    }
    eval::Prediction& film = films_[known->second];
    film.results.push_back(result_of(answer));
    film.results.back().id = fmt::format("{}#{}", name, film.results.size() - 1);
  }
  std::vector<eval::Prediction> take() { return std::move(films_); }

 private:
  std::vector<eval::Prediction> films_;
  std::map<std::string, size_t> place_of_;
};

void add_json(const Json& json, Films& films) {
  if (json.is_array() && !json.empty() && json[0].is_object()) {
    for (const Json& answer : json) films.add_answer(text_at(answer, "id"), answer);
    return;
  }
  if (!json.is_object() || json.contains("schema_version")) {
    throw InputError(
        "expected {\"VIDEO\": [{\"question\", \"answer\", \"pred\"}]} or [{\"id\", \"question\", "
        "…}]");
  }
  for (const auto& [video, answers] : json.items()) films.add(video, answers);
}

}  // namespace

std::vector<eval::Prediction> parse_released_predictions(const std::string& text,
                                                         const std::string& name) {
  Films films;
  const auto add = [&](const std::string& piece, const std::string& where) {
    const Json json = parse_json<Json>(piece);
    if (json.is_discarded()) {
      throw input_error("{} {}; moviechat eval --resume finishes a torn file", where,
                        json_fault(piece));
    }
    try {
      add_json(json, films);
    } catch (const Json::exception& error) {
      throw input_error("{} is no prediction: {}", where, json_fault(error));
    } catch (const InputError& error) {
      throw input_error("{} is no prediction: {}", where, error.what());
    }
  };
  // One value over any number of lines, or an object a line.
  if (Json::accept(text)) {
    add(text, name);
    return films.take();
  }
  for_each_line(text, [&](int64_t number, std::string_view line) {
    if (!trim(line).empty()) add(std::string(line), fmt::format("{} line {}", name, number));
  });
  return films.take();
}

}  // namespace moviechat::score
