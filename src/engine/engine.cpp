#include "moviechat/engine.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "base/message.h"
#include "base/stage_costs.h"
#include "bundle/bundle.h"
#include "bundle/device.h"
#include "engine/answerer.h"
#include "engine/bundle_loading.h"
#include "engine/moments.h"
#include "engine/watch.h"
#include "engine/watched_film.h"
#include "language/prompt.h"
#include "memory/keep_all.h"
#include "moviechat/error.h"
#include "perception/frame_source.h"
#include "plan/timeline.h"

namespace moviechat {
namespace {

/// Batches to encode side by side: where a model computes with one thread, as small ones do unless
/// runtime.threads says something, every core can have a batch of its own.
int64_t encoders_for(const torch::Device& device, const RuntimeOptions& runtime) {
  constexpr int64_t kMost = 4;
  if (!device.is_cpu() || runtime.threads > 0 || at::get_num_threads() > 1) return 1;
  return std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, kMost);
}

/// Neither the plan nor a moment needs to know the film's end or the numbers of its frames.
bool can_be_read_as_it_comes(const PlanOptions& plan, const std::vector<Question>& questions) {
  return plan.kind == PlanKind::fps && plan.by != PlanBy::frames &&
         plan.breakpoint == BreakpointRule::moment &&
         std::none_of(questions.begin(), questions.end(),
                      [](const Question& question) { return question.at_frame.has_value(); });
}

/// Is told that a moment of the film can be answered about, while the film runs.
using MomentSink = std::function<void(WatchedFilm& film, size_t moment)>;

RunResult result_of(WatchedFilm film) {
  RunResult result{film.video, film.plan, {}, film.counts, film.costs.stages()};
  for (std::optional<Answer>& answer : film.answers) result.answers.push_back(std::move(*answer));
  return result;
}

}  // namespace

struct Engine::State {
  std::shared_ptr<const Bundle> bundle;
  Settings settings;
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<Answerer> answerer;

  std::unique_ptr<FrameSource> open_source(const std::filesystem::path& path,
                                           const std::vector<Question>& questions,
                                           const RunOptions& run, const FrameEncoder& encoder,
                                           const Callbacks& callbacks) const {
    const BundleSpec& spec = bundle->spec();
    if (run.features) {
      FeatureFile file(path, *run.features);
      check_features(file, spec);
      return std::make_unique<FeatureFrameSource>(std::move(file), encoder);
    }
    if (run.opened) return std::make_unique<VideoFrameSource>(std::move(*run.opened), encoder);
    return std::make_unique<VideoFrameSource>(
        FrameReader(path, reader_options(settings, spec, questions, callbacks)), encoder);
  }

  torch::Tensor no_embeddings() const {
    return torch::empty({0, bundle->spec().sizes.hidden},
                        torch::TensorOptions(bundle->device()).dtype(bundle->dtype()));
  }
  /// The end of a film that was read as it came is known only now.
  void note_end(WatchedFilm& film, Seconds end) const {
    film.video.duration = end;
    film.video.frames = std::llround(end.count() * film.video.fps.value());
    film.plan = plan(settings, film.video);
    for (const Seconds at : film.moments) check_in_film(at, film.video);
  }
  void let_questions_join(WatchedFilm& film, FrameSource& source, Timeline& timeline,
                          const RunOptions& run, const Callbacks& callbacks) const;
  void check(std::string_view question, const WarningSink& warn) const {
    check_question(question, bundle->spec().prompt, *tokenizer, settings.generation.max_new_tokens,
                   warn);
  }
  WatchedFilm watch(const std::filesystem::path& path, const std::vector<Question>& questions,
                    const RunOptions& run, const Callbacks& callbacks,
                    const MomentSink& seen) const;
};

Engine::Engine(std::shared_ptr<const Bundle> bundle, Settings settings)
    : state_(std::make_unique<State>()) {
  settings.check();
  const BundleSpec& spec = bundle->spec();
  if (settings.memory.long_capacity > spec.sizes.positions) {
    throw InputError("memory.long_capacity (" + std::to_string(settings.memory.long_capacity) +
                     ") exceeds the " + std::to_string(spec.sizes.positions) +
                     " positions of bundle '" + spec.name + "'");
  }
  state_->tokenizer = load_tokenizer(bundle->tokenizer_path(), spec.sizes.vocabulary);
  state_->bundle = std::move(bundle);
  state_->settings = std::move(settings);
  state_->answerer =
      std::make_unique<Answerer>(*state_->bundle, *state_->tokenizer, state_->settings);
}

Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Engine Engine::open(const std::filesystem::path& bundle, const EngineOptions& options) {
  const BundleSpec spec = read_bundle_spec(bundle);
  return open(spec, merge_settings(spec, options.profile, options.settings));
}

Engine Engine::open(const BundleSpec& bundle, const Settings& settings) {
  return {std::make_shared<const Bundle>(load_bundle(bundle, settings.runtime)), settings};
}

const BundleSpec& Engine::bundle() const { return state_->bundle->spec(); }
const Settings& Engine::settings() const { return state_->settings; }
std::string Engine::device() const { return state_->bundle->device().is_cpu() ? "cpu" : "cuda"; }
std::string Engine::dtype() const { return dtype_name(state_->bundle->dtype()); }
std::optional<MemoryUse> Engine::device_memory() const {
  return moviechat::device_memory(state_->bundle->device());
}

SamplingPlan Engine::plan(const Settings& settings, const VideoInfo& video) {
  return make_plan(settings.plan, video.timing(), settings.clips_that_fill_memory());
}

ReaderOptions Engine::reader_options(const Settings& settings, const BundleSpec& bundle,
                                     const std::vector<Question>& questions,
                                     const Callbacks& callbacks) {
  ReaderOptions options = settings.video;
  options.size = bundle.sizes.image;
  from_text("pixels.filter of the bundle", bundle.filter, options.filter);
  if (options.threads == 0) options.threads = settings.runtime.threads;
  options.as_it_comes = can_be_read_as_it_comes(settings.plan, questions);
  options.warn = callbacks.warn;
  options.progress = callbacks.progress;
  options.cancel = callbacks.cancel;
  return options;
}

void Engine::check(std::string_view question, const WarningSink& warn) const {
  state_->check(question, warn);
}

WatchedFilm Engine::watch(const std::filesystem::path& film, const std::vector<Question>& questions,
                          const RunOptions& run, const Callbacks& callbacks) const {
  for (const Question& question : questions) check(question.text, callbacks.warn);
  return state_->watch(film, questions, run, callbacks, nullptr);
}

RunResult Engine::ask(const std::filesystem::path& film, const std::vector<Question>& questions,
                      const RunOptions& run, const Callbacks& callbacks) const {
  for (const Question& question : questions) check(question.text, callbacks.warn);
  Answerer& answerer = *state_->answerer;
  // Of a film that is read as it comes, a moment's questions are answered at once.
  const MomentSink seen = [&](WatchedFilm& watched, size_t moment) {
    if (!watched.video.open_ended()) return;
    for (size_t question = 0; question < watched.questions.size(); ++question) {
      if (watched.moment_of[question] != moment) continue;
      answerer.answer(watched, question, run, callbacks);
      if (callbacks.on_early_answer) {
        callbacks.on_early_answer(question, *watched.answers[question]);
      }
    }
  };
  WatchedFilm watched = state_->watch(film, questions, run, callbacks, seen);
  int64_t answered = 0;
  for (const size_t question : grouped_by_memory(watched)) {
    if (!watched.answers[question]) answerer.answer(watched, question, run, callbacks);
    if (callbacks.progress) {
      callbacks.progress({"answering", ++answered, std::ssize(watched.questions), "questions"});
    }
  }
  return result_of(std::move(watched));
}

std::vector<RunResult> Engine::answer_all(std::vector<WatchedFilm> films, const RunOptions& run,
                                          const Callbacks& callbacks) const {
  state_->answerer->answer_all(films, run, callbacks);
  std::vector<RunResult> results;
  for (WatchedFilm& film : films) results.push_back(result_of(std::move(film)));
  return results;
}

void Engine::State::let_questions_join(WatchedFilm& film, FrameSource& source, Timeline& timeline,
                                       const RunOptions& run, const Callbacks& callbacks) const {
  for (Question& question : callbacks.more_questions(std::max(timeline.reached(), Seconds(0)))) {
    check(question.text, callbacks.warn);
    film.questions.push_back(std::move(question));
    film.answers.emplace_back();
  }
  constexpr Seconds kJustAfter{1e-3};  // the last sample is of the past
  const auto moments =
      collect_moments(film, source, timeline.reached() + kJustAfter, run, callbacks.warn);
  for (const Moment& moment : moments) timeline.add(moment);
  film.of_moment.resize(film.moments.size());
}

WatchedFilm Engine::State::watch(const std::filesystem::path& path,
                                 const std::vector<Question>& questions, const RunOptions& run,
                                 const Callbacks& callbacks, const MomentSink& seen) const {
  WatchedFilm film;
  film.costs = StageCosts([device = bundle->device()] { return moviechat::device_memory(device); });
  film.questions = questions;
  film.answers.resize(questions.size());
  if (settings.plan.kind == PlanKind::none) {
    film.plan.kind = PlanKind::none;
    film.moment_of.resize(questions.size());
    film.of_film.embeddings = no_embeddings();
    return film;
  }

  if (callbacks.more_questions && settings.plan.breakpoint != BreakpointRule::moment) {
    throw input_error("plan.breakpoint must be moment where questions join, got {}",
                      name_of(settings.plan.breakpoint));
  }
  const FrameEncoder encoder(*bundle);
  std::unique_ptr<FrameSource> source;
  std::vector<Moment> moments;
  {
    const Stopwatch stopwatch(film.costs, "open");
    source = open_source(path, questions, run, encoder, callbacks);
    film.video = source->info();
    if (callbacks.on_open) callbacks.on_open(film.video, film.questions);
    moments = collect_moments(film, *source, Seconds(-1), run, callbacks.warn);
  }
  const bool as_it_comes = film.video.open_ended() && settings.plan.kind == PlanKind::fps;
  if (!as_it_comes) film.plan = plan(settings, film.video);
  const bool whole_film =
      callbacks.more_questions ||
      std::find(film.moment_of.begin(), film.moment_of.end(), std::nullopt) != film.moment_of.end();
  if (whole_film && settings.memory.policy == Policy::keep_all) {
    check_fits(film.plan.sample_count(), bundle->spec().sizes.positions);  // before they are read
  }
  Timeline timeline = as_it_comes ? Timeline(settings.plan, whole_film)
                                  : Timeline(film.plan, settings.plan, whole_film);
  for (const Moment& moment : moments) timeline.add(moment);

  film.of_moment.resize(moments.size());
  const MemorySink read = [&](std::optional<size_t> moment, const MemoryView& view) {
    {
      const Stopwatch stopwatch(film.costs, "read");
      (moment ? film.of_moment[*moment] : film.of_film) =
          read_memory(bundle->memory_reader(), view, run.evidence);
    }
    if (moment && seen) seen(film, *moment);
  };
  PerceiverOptions reading{.batch = settings.runtime.batch,
                           .encoders = encoders_for(bundle->device(), settings.runtime),
                           .frames_to_read = timeline.frames_to_read(),
                           .progress = callbacks.progress,
                           .cancel = callbacks.cancel};
  if (callbacks.more_questions) {
    reading.between_frames = [&] { let_questions_join(film, *source, timeline, run, callbacks); };
  }
  Perceiver perceiver(*source, timeline, reading, film.costs);
  const WatchResult watched = moviechat::watch(perceiver,
                                               {.memory = settings.memory,
                                                .positions = bundle->spec().sizes.positions,
                                                .whole_film = whole_film},
                                               read, film.costs);
  if (as_it_comes) note_end(film, perceiver.seen());
  source->finish();
  const ReadStats stats = source->stats();
  film.counts = {.frames_decoded = stats.frames_decoded,
                 .frames_encoded = perceiver.frames_encoded(),
                 .seeks = stats.seeks,
                 .blocks_long = watched.blocks_long,
                 .blocks_short = watched.blocks_short};
  return film;
}

}  // namespace moviechat
