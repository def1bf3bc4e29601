#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/data_set.h"
#include "moviechat/result.h"

namespace moviechat::eval {

/// Question with its answer.
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
  std::optional<FinishReason> finish_reason;  // nullopt without an answer
  int64_t prompt_tokens = 0;
  int64_t answer_tokens = 0;
  std::optional<std::vector<Evidence>> evidence;  // only where it was asked for
};
template <class Visitor>
void visit_fields(Result& o, Visitor& field) {
  field("id", o.id);
  field("mode", o.mode);
  field("question", o.question);
  field("reference", o.reference);
  field("category", o.category);
  field("at", o.at);
  field("frame", o.frame);
  field("answer", o.answer);
  field("token_ids", o.token_ids);
  field("finish_reason", o.finish_reason);
  field("prompt_tokens", o.prompt_tokens);
  field("answer_tokens", o.answer_tokens);
  field.if_any("error", o.error);
  field.if_any("evidence", o.evidence);
}

struct VideoFacts {
  double duration = 0;  // s
  double fps = 0;
  int64_t frames = 0;
};
template <class Visitor>
void visit_fields(VideoFacts& o, Visitor& field) {
  field("duration", o.duration);
  field("fps", o.fps);
  field("frames", o.frames);
}

/// Answers about one film: a line of predictions.jsonl. Nothing in it depends on when, where or in
/// which portions the run was made.
struct Prediction {
  int64_t index = 0;  // of the video in the data set
  std::string video;  // as the annotation names it
  std::string id;
  std::optional<std::string> file;       // in the folder of films; nullopt: none was found or asked
  std::optional<std::string> sha256;     // of that file's bytes; nullopt: as above, or not readable
  std::optional<std::string> error;      // why the video could not be read, one line
  std::optional<VideoFacts> video_info;  // nullopt: not read
  std::vector<Result> results;           // one for each question asked
  Counts counts;
};
template <class Visitor>
void visit_fields(Prediction& o, Visitor& field) {
  field("index", o.index);
  field("video", o.video);
  field("id", o.id);
  field("file", o.file);
  field("sha256", o.sha256);
  field("error", o.error);
  field("video_info", o.video_info);
  field("results", o.results);
  field("counts", o.counts);
}

/// Failure of a film or of a question, with its reason.
struct Failure {
  std::string what;
  std::string why;
  bool whole_film = false;
};
std::vector<Failure> failures_of(const Prediction& prediction);

/// Prediction as one line of JSON, without a line end.
std::string to_line(const Prediction& prediction);

/// Inverse of to_line(). InputError begins with `origin` ("'out/predictions.jsonl' line 3").
Prediction parse_prediction(const std::string& line, const std::string& origin);

/// All predictions of a predictions.jsonl, in its order. InputError names file and line.
std::vector<Prediction> read_predictions(const std::filesystem::path& file);

}  // namespace moviechat::eval
