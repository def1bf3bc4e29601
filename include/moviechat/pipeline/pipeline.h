#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moviechat/answer/evidence.h"
#include "moviechat/answer/generator.h"
#include "moviechat/features/feature_file.h"
#include "moviechat/model/bundle.h"
#include "moviechat/pipeline/settings.h"
#include "moviechat/prompt/video_tokens.h"
#include "moviechat/support/callbacks.h"
#include "moviechat/support/seconds.h"
#include "moviechat/support/stage_costs.h"
#include "moviechat/video/frame_reader.h"
#include "moviechat/video/sampling_plan.h"

namespace moviechat {

class Footage;
class FrameEncoder;

/// A question about the whole film, or about the moment `at`, or about the moment when the frame
/// `at_frame` (counted from 0 in order of show) comes on screen.
struct Question {
  std::string text;
  std::optional<Seconds> at;
  std::optional<int64_t> at_frame;
};

struct Answer {
  Question question;
  std::optional<Seconds> at;  // the moment asked about; nullopt: the whole film
  std::string text;
  std::vector<int64_t> token_ids;
  FinishReason finish_reason = FinishReason::eos;
  int64_t prompt_tokens = 0;
  int64_t answer_tokens = 0;
  std::vector<Evidence> evidence;  // empty unless asked for
};

/// Work done. Counted, not timed.
struct Counts {
  int64_t frames_decoded = 0;
  int64_t frames_encoded = 0;
  int64_t seeks = 0;
  int64_t blocks_long = 0;  // at the end of the film, or of the part that was watched
  int64_t blocks_short = 0;
};

struct RunResult {
  VideoInfo video;
  SamplingPlan plan;
  std::vector<Answer> answers;  // in the order of the questions
  Counts counts;
  std::vector<StageCost> stages;  // "prompt" is a part of "answer"
};

struct RunOptions {
  bool evidence = false;                  // each answer names the time spans it rests on
  bool clamp_moments = false;             // one beyond the film is its end, with a warning
  std::optional<FeatureTiming> features;  // the film is a file of features, with these times
  std::shared_ptr<FrameReader> opened =
      nullptr;  // the film, by reader_options(), if it is open already
};

/// A film that has been watched: all that answers to its questions need. A few embeddings for each
/// moment, whatever the film's length.
struct WatchedFilm {
  std::vector<Question> questions;
  VideoInfo video;
  SamplingPlan plan;
  std::vector<Seconds> moments;                  // that questions are about, each once
  std::vector<std::optional<size_t>> moment_of;  // each question's; nullopt: the whole film
  std::vector<VideoTokens> of_moment;            // as the moments
  VideoTokens of_film;                           // undefined where nobody asks about the whole
  Counts counts;
  StageCosts costs;
};

struct Callbacks {
  WarningSink warn;
  ProgressSink progress;
  /// The film is open and its facts are known: when questions are about may still be changed.
  std::function<void(const VideoInfo& film, std::vector<Question>& questions)> on_open;
  std::function<bool(size_t question, std::string_view piece)> on_text;  // false cancels the run
  std::function<void(size_t question)> on_restart;  // pieces so far are no part of the answer
  const CancelFlag* cancel = nullptr;               // throws Cancelled
};

/// A film and questions → answers. The film is decoded and encoded once, whatever the number and
/// order of questions; plan `none` reads none of it. Const after construction. One film may be
/// watched while another one is answered about, on two threads; two cannot be watched at a time,
/// nor two answered about (models are shared).
class Pipeline {
 public:
  /// The bundle must outlive the pipeline. InputError when settings and bundle do not fit.
  Pipeline(const Bundle& bundle, Settings settings);
  ~Pipeline();

  RunResult ask(const std::filesystem::path& video, const std::vector<Question>& questions,
                const RunOptions& options, const Callbacks& callbacks) const;

  /// InputError for a question that cannot be asked: see check_question().
  void check(std::string_view question, const WarningSink& warn = nullptr) const;

  /// The two halves of ask(). InputError for a film, question or moment that cannot be.
  WatchedFilm watch(const std::filesystem::path& video, const std::vector<Question>& questions,
                    const RunOptions& options, const Callbacks& callbacks) const;
  RunResult answer(WatchedFilm film, const RunOptions& options, const Callbacks& callbacks) const;
  /// The same for several films, `runtime.answers` questions at a time, whose ever they are. The
  /// time that answering took is shared out by the questions. on_text is not called.
  std::vector<RunResult> answer_all(std::vector<WatchedFilm> films, const RunOptions& options,
                                    const Callbacks& callbacks) const;

  torch::Device device() const { return bundle_.device(); }
  const Settings& settings() const { return settings_; }

  /// How ask() would read a film. Needs no model.
  static ReaderOptions reader_options(const Settings& settings, const BundleSpec& bundle,
                                      const std::vector<Question>& questions,
                                      const Callbacks& callbacks);
  /// The plan that ask() would read. Needs no model.
  static SamplingPlan plan(const Settings& settings, const VideoInfo& video);

 private:
  std::unique_ptr<Footage> open_footage(const std::filesystem::path& path,
                                        const std::vector<Question>& questions,
                                        const RunOptions& run, const FrameEncoder& encoder,
                                        const Callbacks& callbacks) const;
  StageCosts stage_costs() const;

  const Bundle& bundle_;
  Settings settings_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

}  // namespace moviechat
