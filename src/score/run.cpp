#include "score/run.h"

#include <set>

#include "base/files.h"
#include "base/message.h"
#include "base/text.h"
#include "score/released_predictions.h"

namespace moviechat::score {
namespace fs = std::filesystem;
namespace {

fs::path file_of(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  const fs::path file = path / "predictions.jsonl";
  if (!fs::exists(file, ignored)) {
    throw input_error(
        "'{}' holds no predictions.jsonl; give the folder that moviechat eval wrote, "
        "or a file of predictions",
        path.string());
  }
  return file;
}

std::vector<eval::Prediction> parse_lines(const std::string& text, const std::string& name) {
  std::vector<eval::Prediction> videos;
  std::set<std::string> known;
  for_each_line(text, [&](int64_t number, std::string_view line) {
    const std::string where = fmt::format("{} line {}", name, number);
    if (line.end() == std::string_view(text).end()) {
      throw InputError(where + " is torn: it has no end; moviechat eval --resume finishes the run");
    }
    videos.push_back(eval::parse_prediction(std::string(line), where));
    if (!known.insert(videos.back().video).second) {
      throw input_error("{}: video '{}' is there already", where, videos.back().video);
    }
  });
  return videos;
}

}  // namespace

Run read_run(const fs::path& path) {
  Run run{.file = file_of(path), .sha256 = "", .videos = {}};
  const std::string text = read_file(run.file, "predictions");
  const std::string name = fmt::format("predictions '{}'", run.file.string());
  run.sha256 = sha256(text);
  const bool ours = text.substr(0, text.find('\n')).find("\"schema_version\"") != std::string::npos;
  run.videos = ours ? parse_lines(text, name) : parse_released_predictions(text, name);
  if (run.videos.empty()) throw InputError(name + " is empty");
  return run;
}

std::vector<Row> questions_of(const Run& run) {
  std::vector<Row> questions;
  for (size_t i = 0; i < run.videos.size(); ++i) {
    for (const eval::Result& result : run.videos[i].results) {
      questions.push_back({static_cast<int64_t>(i), &run.videos[i], &result});
    }
  }
  return questions;
}

Rows rows_of(const Run& run) {
  Rows rows;
  for (const eval::Prediction& video : run.videos) rows.failed_videos += video.error.has_value();
  for (const Row& row : questions_of(run)) {
    ++rows.questions;
    if (row.result->error && !row.film->error) {
      ++rows.refused;
    } else if (!row.result->answer) {
      ++rows.failed;
    } else if (!row.result->reference) {
      ++rows.unreferenced;
    } else {
      rows.rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace moviechat::score
