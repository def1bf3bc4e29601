#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/data_set.h"

namespace moviechat::eval {

/// A time span that an answer rests on.
struct EvidenceSpan {
  double start = 0;
  double end = 0;
  double score = 0;
};

/// A question and what was answered.
struct Result {
  std::string id;
  Mode mode = Mode::global;  // global or breakpoint
  std::string question;
  std::optional<std::string> reference;
  std::optional<std::string> category;
  std::optional<double> at;      // seconds; nullopt: the whole film, or a film that was not read
  std::optional<int64_t> frame;  // as annotated
  std::optional<std::string> answer;  // nullopt: there is an error, here or of the film
  std::optional<std::string> error;   // why the question cannot be asked, one line
  std::vector<int64_t> token_ids;
  std::string finish_reason;  // "" without an answer
  int64_t prompt_tokens = 0;
  int64_t answer_tokens = 0;
  std::optional<std::vector<EvidenceSpan>> evidence;  // only where it was asked for
};

struct VideoFacts {
  double duration = 0;  // s
  double fps = 0;
  int64_t frames = 0;
};

struct WorkCounts {
  int64_t frames_decoded = 0;
  int64_t frames_encoded = 0;
  int64_t seeks = 0;
  int64_t blocks_long = 0;
  int64_t blocks_short = 0;
};

/// What a run says of one video: a line of predictions.jsonl. Nothing in it depends on when, where
/// or in which portions the run was made.
struct Prediction {
  int64_t index = 0;  // of the video in the data set
  std::string video;  // as the annotation names it
  std::string id;
  std::optional<std::string> file;       // in the folder of films; nullopt: none was found or asked
  std::optional<std::string> sha256;     // of that file's bytes; nullopt: as above, or not readable
  std::optional<std::string> error;      // why the video could not be read, one line
  std::optional<VideoFacts> video_info;  // nullopt: not read
  std::vector<Result> results;           // one for each question asked
  WorkCounts counts;
};

/// What of a run failed, a film or a question, and why.
struct Failure {
  std::string what;
  std::string why;
  bool whole_film = false;
};
std::vector<Failure> failures_of(const Prediction& prediction);

/// → one line of JSON, without a line end.
std::string to_line(const Prediction& prediction);

/// The inverse. InputError begins with `origin` ("'out/predictions.jsonl' line 3").
Prediction parse_prediction(const std::string& line, const std::string& origin);

/// All lines of a predictions.jsonl, in its order. InputError names file and line.
std::vector<Prediction> read_predictions(const std::filesystem::path& file);

}  // namespace moviechat::eval
