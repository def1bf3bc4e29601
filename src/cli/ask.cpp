#include "cli/ask.h"

#include <chrono>
#include <memory>

#include "base/moment.h"
#include "cli/questions.h"
#include "engine/bundle_loading.h"
#include "media/frame_reader.h"
#include "perception/footage.h"

namespace moviechat::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// What of the results can be written before all are there: on a terminal the one answer of a run
/// as it is made, and of a film that still runs the answers as they come, in the order of the
/// questions.
class Stream {
 public:
  Stream(const AskOptions& options, Results& results, Messages& messages)
      : options_(options),
        results_(results),
        messages_(messages),
        pieces_wanted_(results.is_terminal() && options.format == Format::text &&
                       options.questions.size() == 1),
        early_(options.questions.size()) {}

  ~Stream() {
    if (in_line_) end_line();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void piece(std::string_view text) {
    if (!pieces_wanted_ || text.empty()) return;
    write(text);
    in_line_ = true;
  }

  /// What was streamed is no part of the answer.
  void restart() {
    if (in_line_) end_line();
    written_.clear();
    in_line_ = false;
  }

  void early_answer(size_t question, const Answer& answer) {
    if (options_.format == Format::text) {
      early_[question] = format_text(answer, early_.size() > 1);
    } else if (options_.format == Format::jsonl) {
      early_[question] = format_jsonl(options_.video, answer, options_.evidence);
    }
    std::string text;
    for (size_t i = 0; i < early_.size() && early_[i]; ++i) text += *early_[i];
    finish(text);
  }

  /// Writes what is not yet written of the results so far.
  void finish(std::string_view text) {
    if (text.starts_with(written_)) text.remove_prefix(written_.size());
    in_line_ = false;
    if (!text.empty()) write(text);
  }

 private:
  void write(std::string_view text) {
    if (written_.empty()) messages_.end_progress();
    written_ += text;
    results_.write(text);
  }
  void end_line() noexcept {
    try {
      results_.write("\n");
    } catch (const Error&) {
      return;  // whatever ends the answer tells what is wrong
    }
  }

  const AskOptions& options_;
  Results& results_;
  Messages& messages_;
  bool pieces_wanted_;
  bool in_line_ = false;
  std::string written_;
  std::vector<std::optional<std::string>> early_;  // of each question
};

/// The film or features, opened before a model is loaded, which takes minutes when it is large:
/// what cannot be read is told first.
struct Opened {
  std::shared_ptr<FrameReader> film;
  std::optional<TimesFrom> times;  // where those of features were found
};

Opened open_film(const AskOptions& options, const Callbacks& callbacks) {
  if (!options.reads_film()) return {};
  if (!options.features) {
    if (comes_only_once(options.video)) return {};  // it would have to wait for the model
    const ReaderOptions reading = Engine::reader_options(
        options.merged.chosen.settings, options.merged.bundle, options.questions, callbacks);
    return {.film = std::make_shared<FrameReader>(options.video, reading), .times = std::nullopt};
  }
  const FeatureFile features(options.video, *options.features);
  check_features(features, options.merged.bundle);
  if (features.times_from() == TimesFrom::nowhere) {
    callbacks.warn("features '" + options.video +
                   "' do not say when their frames were: taken as one a second; give "
                   "--features-fps or --features-duration");
  }
  return {.film = nullptr, .times = features.times_from()};
}

/// --video, or --features with what goes with it.
void read_film(const Arguments& arguments, AskOptions& options) {
  const auto video = arguments.value("--video");
  const auto features = arguments.value("--features");
  const auto fps = arguments.value("--features-fps");
  const auto duration = arguments.value("--features-duration");
  if (video && features) {
    throw InputError("--video and --features contradict each other; give one of them");
  }
  if (!features && (fps || duration)) {
    throw InputError(std::string(fps ? "--features-fps" : "--features-duration") +
                     " goes with --features");
  }
  if (fps && duration) {
    throw InputError("--features-fps and --features-duration contradict each other; give one");
  }
  options.video = features ? *features : film_path(video.value_or(""));
  if (video == "-" && arguments.value("--questions") == "-") {
    throw InputError("--video - and --questions - both read stdin; give one of them as a file");
  }
  if (!features) return;
  FeatureTiming& timing = options.features.emplace();
  if (fps) {
    from_text("--features-fps", *fps, timing.fps.emplace(), {1e-3, 1e3});
  }
  if (duration) {
    timing.duration = parse_moment("--features-duration", *duration);
    if (timing.duration->count() <= 0) {
      throw InputError("--features-duration must be above 0, got " + *duration);
    }
  }
}

}  // namespace

AskOptions read_ask(const Arguments& arguments, const Environment& environment,
                    Messages& messages) {
  AskOptions options;
  options.format = format_of(arguments);
  options.evidence = arguments.has("--evidence");
  options.print_config = arguments.has("--print-config");
  read_film(arguments, options);
  if (!options.print_config) options.questions = questions_of(arguments);
  options.merged =
      merge_settings(arguments, environment, [&](const std::string& line) { messages.warn(line); });
  if (!options.print_config && options.reads_film() && options.video.empty()) {
    throw InputError("no film; give --video FILE or --features FILE (moviechat --help)");
  }
  return options;
}

void run_ask(const AskOptions& options, Messages& messages, const CancelFlag& cancel) {
  Results results;
  const ProgramSettings& chosen = options.merged.chosen;
  if (options.print_config) {
    results.write(config_text(chosen));
    return;
  }

  Stream stream(options, results, messages);
  Callbacks callbacks;
  callbacks.warn = [&](const std::string& line) { messages.warn(line); };
  callbacks.progress = [&](const Progress& progress) { messages.progress(progress); };
  callbacks.on_text = [&](size_t /*question*/, std::string_view piece) {
    stream.piece(piece);
    return true;
  };
  callbacks.on_restart = [&](size_t /*question*/) { stream.restart(); };
  callbacks.on_early_answer = [&](size_t question, const Answer& answer) {
    stream.early_answer(question, answer);
  };
  callbacks.cancel = &cancel;

  check_address_space(options.merged.bundle);
  const auto start = Clock::now();
  const Opened opened = open_film(options, callbacks);
  const auto loading = Clock::now();
  const Engine engine = Engine::open(options.merged.bundle, chosen.settings);
  const double load_seconds = seconds_since(loading);
  cancel.check();

  Report report{
      .settings = chosen,
      .bundle_name = engine.bundle().name,
      .bundle_sha256 = engine.bundle().sha256,
      .video = options.video,
      .features = opened.times,
      .evidence = options.evidence,
      .run = engine.ask(
          options.video, options.questions,
          {.evidence = options.evidence, .features = options.features, .opened = opened.film},
          callbacks),
      .peak_memory_bytes = 0};
  report.run.stages.insert(report.run.stages.begin(), {"load", load_seconds, {}, {}});
  report.run.stages.push_back({"total", seconds_since(start), {}, {}});
  report.peak_memory_bytes = resident_memory().peak;
  cancel.check();

  messages.clear_bar();
  stream.finish(format_report(report, options.format));
  for (const StageCost& cost : report.run.stages) {
    messages.debug(cost.stage + ": " + std::to_string(cost.seconds) + " s");
  }
}

}  // namespace moviechat::cli
