#include "cli/ask.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "base/message.h"
#include "base/moment.h"
#include "base/process.h"
#include "engine/bundle_loading.h"
#include "media/frame_reader.h"
#include "perception/frame_source.h"

namespace moviechat::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A run of `ask`: its options, checked and merged.
struct AskRun {
  MergedSettings merged;
  std::string video;                      // the film, or the features in its place; may be ""
  std::optional<FeatureTiming> features;  // they are features
  std::vector<Question> questions;
  Format format = Format::text;
  bool evidence = false;

  bool reads_film() const { return merged.chosen.settings.plan.kind != PlanKind::none; }
};

/// Checks --video, or --features with what goes with it.
void read_film(const AskOptions& options, AskRun& run) {
  const auto& video = options.video;
  const auto& features = options.features;
  const auto& fps = options.features_fps;
  const auto& duration = options.features_duration;
  if (video && features) {
    throw InputError("--video and --features contradict each other; give one of them");
  }
  if (!features && (fps || duration)) {
    throw input_error("{} goes with --features", fps ? "--features-fps" : "--features-duration");
  }
  if (fps && duration) {
    throw InputError("--features-fps and --features-duration contradict each other; give one");
  }
  if (video == "-" && options.questions.file == "-") {
    throw InputError("--video - and --questions - both read stdin; give one of them as a file");
  }
  run.video = features ? *features : film_path(video.value_or(""));
  if (features) run.features = FeatureTiming{.fps = fps, .duration = duration};
}

AskRun check_options(const AskOptions& options, const WarningSink& warn) {
  AskRun run;
  const bool asks = !options.settings.print_config;
  run.format = options.format.format();
  run.evidence = options.evidence;
  read_film(options, run);
  if (asks) run.questions = questions_of(options.questions);
  run.merged = merge_settings(options.settings, moviechat_environment(), warn);
  if (asks && run.reads_film() && run.video.empty()) {
    throw InputError("no film; give --video FILE or --features FILE (moviechat --help)");
  }
  return run;
}

/// Writer of the results that can be shown before all are there: on a terminal the one answer of a
/// run as it is made, and of a film that still runs the answers as they come, in the order of the
/// questions.
class Stream {
 public:
  Stream(const AskRun& run, Results& results, Messages& messages)
      : run_(run),
        results_(results),
        messages_(messages),
        pieces_wanted_(results.is_terminal() && run.format == Format::text &&
                       run.questions.size() == 1),
        early_(run.questions.size()) {}

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
    if (run_.format == Format::text) {
      early_[question] = format_text(answer, early_.size() > 1);
    } else if (run_.format == Format::jsonl) {
      early_[question] = format_jsonl(run_.video, answer, run_.evidence);
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

  const AskRun& run_;
  Results& results_;
  Messages& messages_;
  bool pieces_wanted_;
  bool in_line_ = false;
  std::string written_;
  std::vector<std::optional<std::string>> early_;  // of each question
};

/// The film comes from standard input, another pipe or an address: it is opened once, where it is
/// read.
bool comes_only_once(const std::string& film) {
  std::error_code ignored;
  return film == film_path("-") || film.find("://") != std::string::npos ||
         std::filesystem::is_fifo(film, ignored);
}

/// The film or features, opened before a model is loaded, which takes minutes when it is large:
/// what cannot be read is told first.
struct Opened {
  std::shared_ptr<FrameReader> film;
  std::optional<TimesFrom> times;  // where those of features were found
};

Opened open_film(const AskRun& run, const Callbacks& callbacks) {
  if (!run.reads_film()) return {};
  if (!run.features) {
    if (comes_only_once(run.video)) return {};  // it would have to wait for the model
    const ReaderOptions reading = Engine::reader_options(
        run.merged.chosen.settings, run.merged.bundle, run.questions, callbacks);
    return {.film = std::make_shared<FrameReader>(run.video, reading), .times = std::nullopt};
  }
  const FeatureFile features(run.video, *run.features);
  check_features(features, run.merged.bundle);
  if (features.times_from() == TimesFrom::nowhere) {
    callbacks.warn(
        fmt::format("features '{}' do not say when their frames were: taken as one a second; give "
                    "--features-fps or --features-duration",
                    run.video));
  }
  return {.film = nullptr, .times = features.times_from()};
}

/// Opens the film and the model, and asks.
RunReport answer(const AskRun& run, const Callbacks& callbacks) {
  check_address_space(run.merged.bundle);
  const auto start = Clock::now();
  const Opened opened = open_film(run, callbacks);
  const auto loading = Clock::now();
  const Engine engine = Engine::open(run.merged.bundle, run.merged.chosen.settings);
  const double load_seconds = seconds_since(loading);
  callbacks.cancel->check();

  RunReport report{
      .version = MOVIECHAT_VERSION,
      .bundle_name = engine.bundle().name,
      .bundle_sha256 = engine.bundle().sha256,
      .profile = run.merged.chosen.profile,
      .settings = run.merged.chosen.settings,
      .video = run.video,
      .features = opened.times,
      .evidence = run.evidence,
      .run = engine.ask(run.video, run.questions,
                        {.evidence = run.evidence, .features = run.features, .opened = opened.film},
                        callbacks),
      .peak_memory_bytes = 0};
  report.run.stages.insert(report.run.stages.begin(), {"load", load_seconds, {}, {}});
  report.run.stages.push_back({"total", seconds_since(start), {}, {}});
  report.peak_memory_bytes = resident_memory().peak;
  callbacks.cancel->check();
  return report;
}

}  // namespace

CLI::App* add_ask(CLI::App& program, AskOptions& options) {
  CLI::App* ask = add_command(
      program, "ask", "answer questions about a film (the default: the word may be left out)",
      "Watches a film once and answers questions about the whole of it, or about moments. Answers "
      "go to stdout, everything else to stderr.",
      {"moviechat --video film.mp4 --question 'What is the colour of the background?'",
       "moviechat --video film.mp4 --question 'What moves?' --at 0:30 --evidence",
       "moviechat --video film.mp4 --questions questions.jsonl --json",
       "moviechat --video film.mp4 --question 'What moves?' --plan uniform:32 --format srt",
       "moviechat --features film.safetensors --question 'What moves?' --at 0:20",
       "cat film.mp4 | moviechat --video - --question 'What moves?'",
       "moviechat --profile released --set generation.seed=7 --print-config"});
  add_heading(*ask, "Input");
  add_value(*ask, "--video FILE", options.video,
            "the film: any file that FFmpeg reads, or a pipe; - reads stdin; with --allow-url an "
            "address",
            "film.mp4");
  add_value(*ask, "--features FILE", options.features,
            "in place of --video: the film's frames as the bundle's ViT gave them before, .npy or "
            ".safetensors (scripts/convert features makes one)",
            "film.safetensors");
  add_value(*ask, "--features-fps R", options.features_fps,
            "the features are of so many frames a second, whatever their file says", "2",
            Range<double>{1e-3, 1e3});
  const auto read_duration = [&options](const std::string& flag, const std::string& text) {
    options.features_duration = parse_moment(flag, text);
    if (options.features_duration->count() <= 0) {
      throw input_error("{} must be above 0, got {}", flag, text);
    }
  };
  add_reader(*ask, "--features-duration TIME", read_duration,
             "the features are spread evenly over a film of this length, whatever their file says",
             "8:17");
  add_questions(*ask, options.questions);
  add_setting_flags(*ask, options.settings.given, {"--strict", "--allow-url"});
  add_heading(*ask, "Output");
  add_format_flags(*ask, options.format,
                   "answers are printed: text (a line each; the default), json (one object), jsonl "
                   "(an object each), srt (subtitles)",
                   "text json jsonl srt");
  add_switch(*ask, "--evidence", options.evidence, "name the time spans that each answer rests on");
  add_log_flags(*ask, options.log);
  add_model_and_settings(*ask, options.settings, /*batch=*/true);
  add_generation(*ask, options.settings);
  return ask;
}

void run_ask(const AskOptions& options, const CancelFlag& cancel) {
  Messages messages(options.log.level());
  Callbacks callbacks = callbacks_of(messages, cancel);
  const AskRun run = check_options(options, callbacks.warn);
  Results results;
  if (options.settings.print_config) {
    results.write(config_text(run.merged.chosen));
    return;
  }
  Stream stream(run, results, messages);
  callbacks.on_text = [&](size_t /*question*/, std::string_view piece) {
    stream.piece(piece);
    return true;
  };
  callbacks.on_restart = [&](size_t /*question*/) { stream.restart(); };
  callbacks.on_early_answer = [&](size_t question, const Answer& answer) {
    stream.early_answer(question, answer);
  };
  const RunReport report = answer(run, callbacks);
  messages.clear_bar();
  stream.finish(format_report(report, run.format));
  for (const StageCost& cost : report.run.stages) {
    messages.debug(fmt::format("{}: {:.6f} s", cost.stage, cost.seconds));
  }
}

}  // namespace moviechat::cli
