#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "eval/prediction.h"

namespace moviechat::score::testing {

inline eval::Result answer(const std::string& question, const std::optional<std::string>& reference,
                           const std::optional<std::string>& given) {
  eval::Result result;
  result.question = question;
  result.reference = reference;
  result.answer = given;
  if (given) result.finish_reason = FinishReason::eos;
  return result;
}

inline eval::Result at(eval::Result result, double seconds, const std::string& category) {
  result.mode = eval::Mode::breakpoint;
  result.at = seconds;
  result.category = category;
  return result;
}

inline eval::Prediction film(int64_t index, const std::string& name, double duration,
                             std::vector<eval::Result> results) {
  eval::Prediction film;
  film.index = index;
  film.video = name;
  film.id = name;
  film.video_info = {duration, 10, static_cast<int64_t>(duration * 10)};
  for (size_t i = 0; i < results.size(); ++i) results[i].id = name + "/" + std::to_string(i);
  film.results = std::move(results);
  return film;
}

inline void write_run(const std::filesystem::path& file,
                      const std::vector<eval::Prediction>& films) {
  std::string lines;
  for (const eval::Prediction& film : films) lines += eval::to_line(film) + "\n";
  write_file(file, lines);
}

}  // namespace moviechat::score::testing
