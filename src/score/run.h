#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "eval/prediction.h"

namespace moviechat::score {

/// Predictions of one run over a data set.
struct Run {
  std::filesystem::path file;
  std::string sha256;  // of the file
  std::vector<eval::Prediction> videos;
};

/// Reads predictions.jsonl (the file, or the folder that holds it), or predictions in the authors'
/// shapes: {"1.mp4": [{"question", "answer": the right one, "pred", "time"?}]}, a line a video as
/// their run_inference_qa_moviechat.py writes it or one object as run_eval_qa_moviechat.py reads
/// it, or the list [{"id", "question", "answer", "pred"}] of run_eval_qa.py; those know neither
/// durations nor evidence. InputError for what is missing, torn, empty or in another shape.
Run read_run(const std::filesystem::path& path);

/// Question of a run with its film.
struct Row {
  int64_t video = 0;  // place in Run::videos
  const eval::Prediction* film = nullptr;
  const eval::Result* result = nullptr;
};
/// All questions of a run, answered or not, in its order. Rows point into the run.
std::vector<Row> questions_of(const Run& run);

/// Questions of a run that can be scored, and counts of those that cannot. Rows point into the run.
struct Rows {
  std::vector<Row> rows;      // answered, with a right answer to compare with
  int64_t questions = 0;      // asked
  int64_t failed_videos = 0;  // could not be read
  int64_t failed = 0;         // questions about these
  int64_t refused = 0;        // questions about others that could not be asked
  int64_t unreferenced = 0;   // answered, but without a right answer to compare with
};
Rows rows_of(const Run& run);

}  // namespace moviechat::score
