#include "moviechat/pipeline/pipeline.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <thread>

#include "moviechat/answer/language_model.h"
#include "moviechat/features/footage.h"
#include "moviechat/model/device.h"
#include "moviechat/prompt/prompt.h"
#include "moviechat/prompt/video_tokens.h"
#include "moviechat/support/error.h"
#include "moviechat/support/fields.h"
#include "moviechat/support/stage_costs.h"
#include "timeline.h"
#include "watch.h"

namespace moviechat {
namespace {

std::string text_of(Seconds time) { return to_text(time.count()) + " s"; }

std::string beyond_the_end(Seconds at, const VideoInfo& video) {
  return "moment " + text_of(at) + " is beyond the end of '" + video.path + "', which is " +
         text_of(video.duration) + " long";
}

void check_in_film(const Moment& moment, const VideoInfo& video) {
  if (moment.at > video.duration) throw InputError(beyond_the_end(moment.at, video));
}

/// When the frames that questions name come on screen, by index.
std::map<int64_t, Seconds> frame_times(const std::vector<Question>& questions, Footage& footage,
                                       const RunOptions& run, const WarningSink& warn) {
  std::vector<int64_t> frames;
  for (const Question& question : questions) {
    if (question.at_frame) frames.push_back(*question.at_frame);
  }
  std::map<int64_t, Seconds> times;
  if (frames.empty()) return times;
  const VideoInfo& video = footage.info();
  const auto found = footage.times_of(frames);
  for (size_t i = 0; i < frames.size(); ++i) {
    if (found[i]) {
      times.emplace(frames[i], *found[i]);
      continue;
    }
    const std::string line = "frame " + std::to_string(frames[i]) + " is not in '" + video.path +
                             "', which has some " + std::to_string(video.frames) +
                             " frames by its length and rate, counted from 0";
    if (!run.clamp_moments || frames[i] < 0) throw InputError(line);
    const auto last = static_cast<double>(std::max<int64_t>(video.frames - 1, 0));
    const bool is_new = times.emplace(frames[i], Seconds(last / video.fps.value())).second;
    if (is_new && warn) warn(line + "; its last one is taken");
  }
  return times;
}

Moment resolve(const Question& question, const Footage& footage,
               const std::map<int64_t, Seconds>& time_of_frame, const RunOptions& run,
               const WarningSink& warn) {
  if (question.at_frame) return {time_of_frame.at(*question.at_frame), *question.at_frame};
  const VideoInfo& video = footage.info();
  if (!footage.times_known()) {
    throw InputError("features '" + video.path +
                     "' do not say when their frames were; give --features-fps or "
                     "--features-duration, or ask by --at-frame");
  }
  Seconds at = *question.at;
  constexpr Range<double> kMoments{0, 1e9};  // 31 years
  kMoments.check("the seconds of a moment", at.count());
  if (!video.open_ended() && at > video.duration) {
    if (!run.clamp_moments) throw InputError(beyond_the_end(at, video));
    if (warn) warn(beyond_the_end(at, video) + "; its end is taken");
    at = video.duration;
  }
  constexpr double kRounding = 1e-6;  // of a frame: t = k/fps is frame k
  return {at, static_cast<int64_t>(std::floor(at.count() * video.fps.value() + kRounding))};
}

/// The distinct moments that a film's questions are about; notes in the film which is whose.
std::vector<Moment> collect_moments(WatchedFilm& film, Footage& footage, const RunOptions& run,
                                    const WarningSink& warn) {
  const std::map<int64_t, Seconds> time_of_frame = frame_times(film.questions, footage, run, warn);
  std::vector<Moment> distinct;
  std::map<double, size_t> known;
  for (const Question& question : film.questions) {
    if (!question.at && !question.at_frame) {
      film.moment_of.emplace_back();
      continue;
    }
    const Moment moment = resolve(question, footage, time_of_frame, run, warn);
    const auto [entry, is_new] = known.emplace(moment.at.count(), distinct.size());
    if (is_new) distinct.push_back(moment);
    film.moment_of.emplace_back(entry->second);
  }
  for (const Moment& moment : distinct) film.moments.push_back(moment.at);
  return distinct;
}

/// Questions in an order in which those about the same memory follow each other, so that its prefix
/// is computed once.
std::vector<size_t> grouped_by_memory(const WatchedFilm& film) {
  std::vector<size_t> order(film.moment_of.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return film.moment_of[a] < film.moment_of[b]; });
  return order;
}

const VideoTokens& tokens_for(const WatchedFilm& film, size_t question) {
  const std::optional<size_t> moment = film.moment_of[question];
  return moment ? film.of_moment[*moment] : film.of_film;
}

bool with_evidence(const RunOptions& run, const VideoTokens& tokens) {
  return run.evidence && tokens.attention.defined();
}

/// What is on screen at a moment was not seen any longer.
void end_at(Seconds moment, std::vector<Evidence>& evidence) {
  for (Evidence& span : evidence) {
    if (span.start < moment) span.end = std::min(span.end, moment);
  }
}

/// Batches to encode side by side: where a model computes with one thread, as small ones do unless
/// --threads says something, every core can have a batch of its own.
int64_t encoders_for(const torch::Device& device, const RuntimeOptions& runtime) {
  constexpr int64_t kMost = 4;
  if (!device.is_cpu() || runtime.threads > 0 || at::get_num_threads() > 1) return 1;
  return std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, kMost);
}

Answer answer_from(const Generation& generation, const WatchedFilm& film, size_t question) {
  Answer answer;
  answer.question = film.questions[question];
  const std::optional<size_t> moment = film.moment_of[question];
  answer.at = moment ? film.moments[*moment] : answer.question.at;
  answer.text = generation.text;
  answer.token_ids = generation.ids;
  answer.finish_reason = generation.reason;
  answer.prompt_tokens = generation.prompt_tokens;
  answer.answer_tokens = generation.answer_tokens;
  if (generation.attention.defined()) {
    const VideoTokens& tokens = tokens_for(film, question);
    answer.evidence = find_evidence(generation.attention, tokens.attention, tokens.spans);
    if (moment) end_at(film.moments[*moment], answer.evidence);
  }
  return answer;
}

/// Neither the plan nor a moment needs to know the film's end or the numbers of its frames.
bool can_be_read_as_it_comes(const PlanOptions& plan, const std::vector<Question>& questions) {
  return plan.kind == PlanKind::fps && plan.by != PlanBy::frames &&
         plan.breakpoint == BreakpointRule::moment &&
         std::none_of(questions.begin(), questions.end(),
                      [](const Question& question) { return question.at_frame.has_value(); });
}

}  // namespace

Pipeline::Pipeline(const Bundle& bundle, Settings settings)
    : bundle_(bundle),
      settings_(std::move(settings)),
      tokenizer_(load_tokenizer(bundle.tokenizer_path(), bundle.spec().sizes.vocabulary)) {
  settings_.check();
  const int64_t positions = bundle.spec().sizes.positions;
  if (settings_.memory.long_capacity > positions) {
    throw InputError("memory.long_capacity (" + std::to_string(settings_.memory.long_capacity) +
                     ") exceeds the " + std::to_string(positions) + " positions of bundle '" +
                     bundle.spec().name + "'");
  }
}

Pipeline::~Pipeline() = default;

SamplingPlan Pipeline::plan(const Settings& settings, const VideoInfo& video) {
  return make_plan(settings.plan, video.timing(), settings.clips_that_fill_memory());
}

std::unique_ptr<Footage> Pipeline::open_footage(const std::filesystem::path& path,
                                                const std::vector<Question>& questions,
                                                const RunOptions& run, const FrameEncoder& encoder,
                                                const Callbacks& callbacks) const {
  const BundleSpec& spec = bundle_.spec();
  if (run.features) {
    FeatureFile file(path, *run.features);
    check_features(file, spec);
    return std::make_unique<FeatureFootage>(std::move(file), encoder);
  }
  if (run.opened) return std::make_unique<VideoFootage>(std::move(*run.opened), encoder);
  return std::make_unique<VideoFootage>(
      FrameReader(path, reader_options(settings_, spec, questions, callbacks)), encoder);
}

ReaderOptions Pipeline::reader_options(const Settings& settings, const BundleSpec& bundle,
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

StageCosts Pipeline::stage_costs() const {
  return StageCosts([device = bundle_.device()] { return device_memory(device); });
}

void Pipeline::check(std::string_view question, const WarningSink& warn) const {
  check_question(question, bundle_.spec().prompt, *tokenizer_, settings_.generation.max_new_tokens,
                 warn);
}

RunResult Pipeline::ask(const std::filesystem::path& video, const std::vector<Question>& questions,
                        const RunOptions& run, const Callbacks& callbacks) const {
  return answer(watch(video, questions, run, callbacks), run, callbacks);
}

WatchedFilm Pipeline::watch(const std::filesystem::path& video,
                            const std::vector<Question>& questions, const RunOptions& run,
                            const Callbacks& callbacks) const {
  const BundleSpec& spec = bundle_.spec();
  for (const Question& question : questions) check(question.text, callbacks.warn);
  WatchedFilm film;
  film.costs = stage_costs();
  film.questions = questions;
  if (settings_.plan.kind == PlanKind::none) {
    film.plan.kind = PlanKind::none;
    film.moment_of.resize(questions.size());
    film.of_film.embeddings = torch::empty(
        {0, spec.sizes.hidden}, torch::TensorOptions(bundle_.device()).dtype(bundle_.dtype()));
    return film;
  }

  const FrameEncoder encoder(bundle_);
  std::unique_ptr<Footage> footage;
  std::vector<Moment> moments;
  {
    const Stopwatch stopwatch(film.costs, "open");
    footage = open_footage(video, questions, run, encoder, callbacks);
    film.video = footage->info();
    if (callbacks.on_open) callbacks.on_open(film.video, film.questions);
    moments = collect_moments(film, *footage, run, callbacks.warn);
  }
  const bool as_it_comes = film.video.open_ended() && settings_.plan.kind == PlanKind::fps;
  if (!as_it_comes) film.plan = plan(settings_, film.video);

  // One pass: frames → blocks → memory; each moment's memory becomes video tokens as soon as it is
  // complete.
  film.of_moment.resize(moments.size());
  const MemorySink read = [&](std::optional<size_t> moment, const MemoryView& view) {
    const Stopwatch stopwatch(film.costs, "read");
    (moment ? film.of_moment[*moment] : film.of_film) =
        read_memory(bundle_.memory_reader(), view, run.evidence);
  };
  const bool whole_film =
      std::find(film.moment_of.begin(), film.moment_of.end(), std::nullopt) != film.moment_of.end();
  Timeline timeline = as_it_comes ? Timeline(settings_.plan, whole_film)
                                  : Timeline(film.plan, settings_.plan, whole_film);
  for (const Moment& moment : moments) timeline.add(moment);
  Perceiver perceiver(*footage, timeline,
                      {.batch = settings_.runtime.batch,
                       .encoders = encoders_for(bundle_.device(), settings_.runtime),
                       .frames_to_read = timeline.frames_to_read(),
                       .progress = callbacks.progress,
                       .cancel = callbacks.cancel},
                      film.costs);
  const WatchResult watched = moviechat::watch(
      perceiver,
      {.memory = settings_.memory, .positions = spec.sizes.positions, .whole_film = whole_film},
      read, film.costs);
  if (as_it_comes) {
    film.video.duration = perceiver.seen();
    film.video.frames = std::llround(perceiver.seen().count() * film.video.fps.value());
    film.plan = plan(settings_, film.video);
    for (const Moment& moment : moments) check_in_film(moment, film.video);
  }
  footage->finish();
  const ReadStats stats = footage->stats();
  film.counts = {.frames_decoded = stats.frames_decoded,
                 .frames_encoded = perceiver.frames_encoded(),
                 .seeks = stats.seeks,
                 .blocks_long = watched.blocks_long,
                 .blocks_short = watched.blocks_short};
  return film;
}

RunResult Pipeline::answer(WatchedFilm film, const RunOptions& run,
                           const Callbacks& callbacks) const {
  const BundleSpec& spec = bundle_.spec();
  // Text and video that questions share are computed once.
  const LanguageModel language_model(bundle_.language_model());
  Generator generator(language_model, *tokenizer_, spec.prompt, settings_.generation);
  RunResult result{film.video, film.plan, {}, film.counts, {}};
  result.answers.resize(film.questions.size());
  int64_t answered = 0;
  for (const size_t index : grouped_by_memory(film)) {
    const Stopwatch stopwatch(film.costs, "answer");
    const VideoTokens& tokens = tokens_for(film, index);
    AnswerCallbacks hooks;
    hooks.warn = callbacks.warn;
    hooks.cancel = callbacks.cancel;
    if (callbacks.on_text) {
      hooks.on_text = [&, index](std::string_view piece) {
        return callbacks.on_text(index, piece);
      };
    }
    if (callbacks.on_restart) hooks.on_restart = [&, index] { callbacks.on_restart(index); };
    const Generation generation = generator.answer(
        make_prompt(spec.prompt, *tokenizer_, film.questions[index].text), tokens, hooks,
        /*with_attention=*/with_evidence(run, tokens));
    film.costs.add({"prompt", generation.prompt_seconds, {}, {}});  // part of "answer"
    result.answers[index] = answer_from(generation, film, index);
    if (callbacks.progress) {
      callbacks.progress(
          {"answering", ++answered, static_cast<int64_t>(film.questions.size()), "questions"});
    }
  }
  result.stages = film.costs.stages();
  return result;
}

std::vector<RunResult> Pipeline::answer_all(std::vector<WatchedFilm> films, const RunOptions& run,
                                            const Callbacks& callbacks) const {
  const BundleSpec& spec = bundle_.spec();
  const LanguageModel language_model(bundle_.language_model());
  Generator generator(language_model, *tokenizer_, spec.prompt, settings_.generation);
  std::vector<GenerationRequest> requests;
  std::vector<std::pair<size_t, size_t>> asked;  // film and question of each
  for (size_t film = 0; film < films.size(); ++film) {
    for (const size_t question : grouped_by_memory(films[film])) {
      const VideoTokens& tokens = tokens_for(films[film], question);
      requests.push_back(
          {make_prompt(spec.prompt, *tokenizer_, films[film].questions[question].text), &tokens,
           with_evidence(run, tokens)});
      asked.emplace_back(film, question);
    }
  }
  StageCosts together = stage_costs();
  std::vector<Generation> generations;
  {
    const Stopwatch stopwatch(together, "answer");
    AnswerCallbacks hooks;
    hooks.warn = callbacks.warn;
    hooks.cancel = callbacks.cancel;
    hooks.on_answer = [&, answered = int64_t{0}]() mutable {
      if (!callbacks.progress) return;
      callbacks.progress({"answering", ++answered, std::ssize(requests), "questions"});
    };
    generations = generator.answer_all(requests, settings_.runtime.answers, hooks);
  }
  StageCost each = together.stages()[0];
  each.seconds /= static_cast<double>(requests.size());

  std::vector<RunResult> results;
  for (const WatchedFilm& film : films) {
    results.push_back({film.video, film.plan, {}, film.counts, {}});
    results.back().answers.resize(film.questions.size());
  }
  for (size_t i = 0; i < asked.size(); ++i) {
    const auto [film, question] = asked[i];
    films[film].costs.add({"prompt", generations[i].prompt_seconds, {}, {}});
    films[film].costs.add(each);
    results[film].answers[question] = answer_from(generations[i], films[film], question);
  }
  for (size_t film = 0; film < films.size(); ++film) {
    results[film].stages = films[film].costs.stages();
  }
  return results;
}

}  // namespace moviechat
