#include "moviechat/pipeline/pipeline.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <sstream>

#include "moviechat/answer/language_model.h"
#include "moviechat/features/footage.h"
#include "moviechat/prompt/prompt.h"
#include "moviechat/prompt/video_tokens.h"
#include "moviechat/support/error.h"
#include "moviechat/support/stopwatch.h"
#include "schedule.h"
#include "watch.h"

namespace moviechat {
namespace {

/// The distinct moments of some questions, and which one each question is about.
struct Moments {
  std::vector<Moment> distinct;
  std::vector<std::optional<size_t>> of_question;  // nullopt: the whole film

  bool any_global() const {
    return std::any_of(of_question.begin(), of_question.end(),
                       [](const auto& moment) { return !moment.has_value(); });
  }
};

std::string text_of(Seconds time) {
  std::ostringstream text;
  text << time.count() << " s";
  return text.str();
}

void check_in_film(const Moment& moment, const VideoInfo& video) {
  if (moment.at <= video.duration) return;
  throw InputError("moment " + text_of(moment.at) + " is beyond the end of '" + video.path +
                   "', which is " + text_of(video.duration) + " long");
}

Moment resolve(const Question& question, const Footage& footage) {
  const VideoInfo& video = footage.info();
  if (question.at_frame) {
    if (*question.at_frame < 0 ||
        (!video.open_ended() && *question.at_frame >= std::max<int64_t>(1, video.frames))) {
      throw InputError("frame " + std::to_string(*question.at_frame) + " is not in '" + video.path +
                       "', which has " + std::to_string(video.frames) + " frames, counted from 0");
    }
    return {footage.time_of(*question.at_frame), *question.at_frame};
  }
  if (!footage.times_known()) {
    throw InputError("features '" + video.path +
                     "' do not say when their frames were; give --features-fps or "
                     "--features-duration, or ask by --at-frame");
  }
  const Seconds at = *question.at;
  if (!std::isfinite(at.count()) || at.count() < 0) {
    throw InputError("a moment must be 0 s or later, got " + text_of(at));
  }
  if (!video.open_ended()) check_in_film({at, 0}, video);
  constexpr double kRounding = 1e-6;  // of a frame: t = k/fps is frame k
  return {at, static_cast<int64_t>(std::floor(at.count() * video.fps.value() + kRounding))};
}

Moments collect_moments(const std::vector<Question>& questions, const Footage& footage) {
  Moments moments;
  std::map<double, size_t> known;
  for (const Question& question : questions) {
    if (!question.at && !question.at_frame) {
      moments.of_question.emplace_back();
      continue;
    }
    const Moment moment = resolve(question, footage);
    const auto [entry, is_new] = known.emplace(moment.at.count(), moments.distinct.size());
    if (is_new) moments.distinct.push_back(moment);
    moments.of_question.emplace_back(entry->second);
  }
  return moments;
}

/// Questions in an order in which those about the same memory follow each other, so that its prefix
/// is computed once.
std::vector<size_t> grouped_by_memory(const Moments& moments) {
  std::vector<size_t> order(moments.of_question.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return moments.of_question[a] < moments.of_question[b];
  });
  return order;
}

}  // namespace

Pipeline::Pipeline(const Bundle& bundle, Settings settings)
    : bundle_(bundle),
      settings_(std::move(settings)),
      tokenizer_(load_tokenizer(bundle.tokenizer_path())) {
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
                                                const RunOptions& run, const FrameEncoder& encoder,
                                                const Callbacks& callbacks) const {
  const BundleSpec& spec = bundle_.spec();
  if (run.features) {
    FeatureFile file(path, *run.features);
    check_features(file, spec);
    return std::make_unique<FeatureFootage>(std::move(file), encoder, settings_.runtime.batch);
  }
  ReaderOptions options = settings_.video;
  options.size = spec.sizes.image;
  from_text("pixels.filter of the bundle", spec.filter, options.filter);
  if (options.threads == 0) options.threads = settings_.runtime.threads;
  options.warn = callbacks.warn;
  options.cancel = callbacks.cancel;
  return std::make_unique<VideoFootage>(path, std::move(options), encoder, settings_.runtime.batch);
}

RunResult Pipeline::ask(const std::filesystem::path& video, const std::vector<Question>& questions,
                        const RunOptions& run, const Callbacks& callbacks) const {
  Timings timings;
  const BundleSpec& spec = bundle_.spec();

  std::vector<Prompt> prompts;
  for (const Question& question : questions) {
    check_question(question.text, spec.prompt, *tokenizer_, callbacks.warn);
    prompts.push_back(make_prompt(spec.prompt, *tokenizer_, question.text));
  }

  const FrameEncoder encoder(bundle_);
  const std::unique_ptr<Footage> footage = [&] {
    const Stopwatch stopwatch(timings, "open");
    return open_footage(video, run, encoder, callbacks);
  }();

  RunResult result;
  result.video = footage->info();
  const Moments moments = collect_moments(questions, *footage);
  const bool as_it_comes = result.video.open_ended() && settings_.plan.kind == PlanKind::fps;
  if (!as_it_comes) result.plan = plan(settings_, result.video);

  // One pass: frames → blocks → memory; each moment's memory becomes video tokens as soon as it is
  // complete.
  std::vector<VideoTokens> of_moment(moments.distinct.size());
  VideoTokens of_film;
  const ViewSink read = [&](std::optional<size_t> moment, const MemoryView& view) {
    const Stopwatch stopwatch(timings, "read");
    (moment ? of_moment[*moment] : of_film) =
        read_memory(bundle_.memory_reader(), view, run.evidence);
  };
  const bool whole_film = moments.any_global();
  StepSource steps;
  int64_t frames_to_read = 0;
  if (as_it_comes) {
    steps = open_ended_schedule(settings_.plan, moments.distinct, whole_film);
  } else {
    std::vector<Step> all = schedule(result.plan, moments.distinct, settings_.plan, whole_film);
    frames_to_read =
        std::count_if(all.begin(), all.end(), [](const Step& step) { return step.needs_frame(); });
    steps = in_order(std::move(all));
  }
  const WatchResult watched = watch(*footage, steps, moments.distinct.size(),
                                    {.memory = settings_.memory,
                                     .positions = spec.sizes.positions,
                                     .batch = settings_.runtime.batch,
                                     .whole_film = whole_film,
                                     .frames_to_read = frames_to_read},
                                    read, callbacks.progress, callbacks.cancel, timings);
  if (as_it_comes) {
    result.video.duration = watched.seen;
    result.video.frames = std::llround(watched.seen.count() * result.video.fps.value());
    result.plan = plan(settings_, result.video);
    for (const Moment& moment : moments.distinct) check_in_film(moment, result.video);
  }
  footage->finish();
  const ReadStats stats = footage->stats();
  result.counts = {.frames_decoded = stats.frames_decoded,
                   .frames_encoded = watched.frames_encoded,
                   .seeks = stats.seeks,
                   .blocks_long = watched.blocks_long,
                   .blocks_short = watched.blocks_short};

  // The language model: text and video that questions share are computed once.
  const LanguageModel language_model(bundle_.language_model());
  Generator generator(language_model, *tokenizer_, spec.prompt, settings_.generation);
  result.answers.resize(questions.size());
  int64_t answered = 0;
  for (const size_t index : grouped_by_memory(moments)) {
    const Stopwatch stopwatch(timings, "answer");
    const std::optional<size_t> moment = moments.of_question[index];
    const VideoTokens& tokens = moment ? of_moment[*moment] : of_film;
    AnswerCallbacks hooks;
    hooks.warn = callbacks.warn;
    hooks.cancel = callbacks.cancel;
    if (callbacks.on_text) {
      hooks.on_text = [&, index](std::string_view piece) {
        return callbacks.on_text(index, piece);
      };
    }
    const Generation generation =
        generator.answer(prompts[index], tokens, hooks, /*with_attention=*/run.evidence);
    Answer& answer = result.answers[index];
    answer.question = questions[index];
    if (moment) answer.at = moments.distinct[*moment].at;
    answer.text = generation.text;
    answer.token_ids = generation.ids;
    answer.finish_reason = generation.reason;
    answer.prompt_tokens = generation.prompt_tokens;
    answer.answer_tokens = generation.answer_tokens;
    if (run.evidence) {
      answer.evidence = find_evidence(generation.attention, tokens.attention, tokens.spans);
    }
    if (callbacks.progress) {
      callbacks.progress(
          {"answering", ++answered, static_cast<int64_t>(questions.size()), "questions"});
    }
  }
  result.seconds = timings.stages();
  return result;
}

}  // namespace moviechat
