#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moviechat/bundle_spec.h"
#include "moviechat/callbacks.h"
#include "moviechat/costs.h"
#include "moviechat/result.h"
#include "moviechat/sampling_plan.h"
#include "moviechat/settings.h"
#include "moviechat/time.h"
#include "moviechat/video.h"

namespace moviechat {

class Bundle;
class FrameReader;
struct WatchedFilm;

/// How an engine is opened.
struct EngineOptions {
  std::string profile;               // named choices: "paper", "uniform", …; "": what is built in
  std::vector<Assignment> settings;  // {{"runtime.threads", "2"}, …}; the last of a name counts
};

struct RunOptions {
  bool evidence = false;                  // each answer names the time spans it rests on
  bool clamp_moments = false;             // one beyond the film is its end, with a warning
  std::optional<FeatureTiming> features;  // the film is a file of features, with these times
  std::shared_ptr<FrameReader> opened =
      nullptr;  // the film, by reader_options(), if it is open already
};

struct Callbacks {
  WarningSink warn;
  ProgressSink progress;
  /// The film is open and its facts are known: when questions are about may still be changed.
  std::function<void(const VideoInfo& film, std::vector<Question>& questions)> on_open;
  std::function<bool(size_t question, std::string_view piece)> on_text;  // false cancels the run
  std::function<void(size_t question)> on_restart;  // pieces so far are no part of the answer
  /// An answer is there while the film, which is read as it comes, still runs.
  std::function<void(size_t question, const Answer& answer)> on_early_answer;
  /// Questions that join while a film is watched up to a time: asked for between two frames. One
  /// about a moment that has passed is refused, or with clamp_moments about the film as it is then.
  std::function<std::vector<Question>(Seconds watched)> more_questions;
  const CancelFlag* cancel = nullptr;  // throws Cancelled
};

/// A model and settings → films that can be asked. A film is decoded and encoded once, whatever the
/// number and order of questions; plan `none` reads none of it. Const after construction. One film
/// may be watched while another one is answered about, on two threads; two cannot be watched at a
/// time, nor two answered about (models are shared). Several engines may live in one process;
/// runtime.threads is libtorch's, and so one for all.
class Engine {
 public:
  /// Loads a bundle, with its defaults, on a device. InputError for a folder that is no bundle, and
  /// for settings that contradict each other or the bundle.
  static Engine open(const std::filesystem::path& bundle, const EngineOptions& options = {});
  static Engine open(const BundleSpec& bundle, const Settings& settings);

  Engine(std::shared_ptr<const Bundle> bundle, Settings settings);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  /// Answers in the order of the questions, those that joined last. InputError for a film, question
  /// or moment that cannot be.
  RunResult ask(const std::filesystem::path& film, const std::vector<Question>& questions,
                const RunOptions& options = {}, const Callbacks& callbacks = {}) const;

  /// InputError for a question that cannot be asked: see check_question().
  void check(std::string_view question, const WarningSink& warn = nullptr) const;

  /// The two halves of ask().
  WatchedFilm watch(const std::filesystem::path& film, const std::vector<Question>& questions,
                    const RunOptions& options, const Callbacks& callbacks) const;
  /// Several films at a time: see Answerer::answer_all().
  std::vector<RunResult> answer_all(std::vector<WatchedFilm> films, const RunOptions& options,
                                    const Callbacks& callbacks) const;

  const BundleSpec& bundle() const;
  const Settings& settings() const;
  std::string device() const;  // cpu or cuda
  std::string dtype() const;   // to compute in: fp32, fp16, bf16
  /// Memory of the engine's device in use; nullopt on a CPU, where it is the process's.
  std::optional<MemoryUse> device_memory() const;

  /// How ask() would read a film. Needs no model.
  static ReaderOptions reader_options(const Settings& settings, const BundleSpec& bundle,
                                      const std::vector<Question>& questions,
                                      const Callbacks& callbacks);
  /// The plan that ask() would read. Needs no model.
  static SamplingPlan plan(const Settings& settings, const VideoInfo& video);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moviechat
