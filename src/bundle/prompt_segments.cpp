#include "bundle/prompt_segments.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <string_view>

namespace moviechat {
namespace {

using Kind = PromptSegment::Kind;

constexpr std::string_view kFilmPlace = "<ImageHere>";
constexpr std::string_view kQuestionPlace = "{question}";

[[noreturn]] void refuse(const std::string& found) {
  throw SegmentError{"a list of {text: …}, {token: ID}, film, question and {turns: […]}", found};
}

PromptSegment read_segment(const YAML::Node& node, const Range<int64_t>& ids, bool of_turn) {
  if (node.IsScalar()) {
    const auto word = node.as<std::string>();
    if (word == "question") return {.kind = Kind::question};
    if (word == "film" && !of_turn) return {.kind = Kind::film};
    if (word == "answer" && of_turn) return {.kind = Kind::answer};
    refuse("'" + word + "'");
  }
  if (!node.IsMap() || node.size() != 1) refuse("'" + YAML::Dump(node) + "'");
  const auto key = node.begin()->first.as<std::string>();
  const YAML::Node value = node.begin()->second;
  if (key == "text") return {.text = value.as<std::string>()};
  if (key == "token") {
    const auto id = value.as<int64_t>();
    if (!ids.contains(id)) throw SegmentError{"of ids " + ids.text(), std::to_string(id)};
    return {.kind = Kind::token, .token = id};
  }
  if (key == "turns" && !of_turn && value.IsSequence()) {
    PromptSegment turns{.kind = Kind::turns};
    for (const YAML::Node& child : value) turns.turn.push_back(read_segment(child, ids, true));
    return turns;
  }
  refuse("'" + key + "'");
}

auto count(const std::vector<PromptSegment>& segments, Kind kind) {
  return std::count_if(segments.begin(), segments.end(),
                       [&](const PromptSegment& segment) { return segment.kind == kind; });
}

}  // namespace

std::vector<PromptSegment> read_segments(const YAML::Node& list, const Range<int64_t>& ids) {
  if (!list.IsSequence()) refuse("something else");
  std::vector<PromptSegment> segments;
  for (const YAML::Node& node : list) segments.push_back(read_segment(node, ids, false));
  for (const auto& [kind, name] : {std::pair{Kind::film, "film"}, {Kind::question, "question"}}) {
    if (count(segments, kind) == 1) continue;
    throw SegmentError{std::string("a list with ") + name + " once",
                       std::to_string(count(segments, kind)) + " of it"};
  }
  const auto film = std::find_if(segments.begin(), segments.end(),
                                 [](const auto& segment) { return segment.kind == Kind::film; });
  const bool goes_on = std::any_of(film, segments.end(), [](const PromptSegment& segment) {
    return segment.kind == Kind::question || segment.kind == Kind::token || !segment.text.empty();
  });
  if (!goes_on) throw SegmentError{"a list that goes on after film", "its end"};
  return segments;
}

std::vector<PromptSegment> segments_of_template(int64_t bos, const std::string& text) {
  const size_t film = text.find(kFilmPlace);
  const size_t question = text.find(kQuestionPlace);
  if (film == std::string::npos || question == std::string::npos || question < film ||
      text.find(kFilmPlace, film + 1) != std::string::npos) {
    throw SegmentError{"a text with one <ImageHere> and then {question}", "'" + text + "'"};
  }
  const size_t between = film + kFilmPlace.size();
  return {{.kind = Kind::token, .token = bos},
          {.text = text.substr(0, film)},
          {.kind = Kind::film},
          {.text = text.substr(between, question - between)},
          {.kind = Kind::question},
          {.text = text.substr(question + kQuestionPlace.size())}};
}

}  // namespace moviechat
