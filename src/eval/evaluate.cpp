#include "eval/evaluate.h"

#include <fmt/chrono.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <future>
#include <mutex>
#include <utility>

#include "base/message.h"
#include "base/process.h"
#include "bundle/device.h"
#include "datasets/video_folder.h"
#include "engine/watched_film.h"
#include "eval/film_row.h"
#include "eval/film_version.h"
#include "eval/moviechat_format.h"
#include "eval/prefetcher.h"
#include "eval/run_folder.h"
#include "media/film_identity.h"
#include "perception/feature_file.h"

namespace moviechat::eval {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::optional<int64_t> peak_of(const std::optional<MemoryUse>& use) {
  return use ? std::optional(use->peak) : std::nullopt;
}

std::string hours(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

/// Features that do not say when they were are spread over the annotated film.
FeatureTiming timing_of(const Film& film, const std::filesystem::path& features) {
  FeatureTiming timing;
  const Seconds length = annotated_length(film);
  if (length > Seconds(0) && FeatureFile(features).times_from() == TimesFrom::nowhere) {
    timing.duration = length;
  }
  return timing;
}

std::optional<VideoFolder> folder_of(const EvalOptions& options) {
  if (options.features) return VideoFolder(*options.features, FilmFiles::features);
  if (options.videos) return VideoFolder(*options.videos);
  return std::nullopt;
}

double seconds_of(const RunResult& run, std::string_view stage) {
  for (const StageCost& cost : run.stages) {
    if (cost.stage == stage) return cost.seconds;
  }
  return 0;
}

/// Message that names a file without its folder, so that it is the same on every machine.
std::string without_folder(std::string text, const std::string& whole, const std::string& name) {
  if (whole.empty()) return text;
  for (size_t at = text.find(whole); at != std::string::npos; at = text.find(whole, at)) {
    text.replace(at, whole.size(), name);
    at += name.size();
  }
  return text;
}

/// Result of watching a film: the film, ready for questions, or the reason why it is not.
struct WatchResult {
  std::optional<std::string> file;    // in the folder of films
  std::optional<std::string> sha256;  // of its bytes
  std::optional<WatchedFilm> film;
  std::optional<std::string> failure;
  std::vector<std::optional<std::string>> refusals;  // why each question cannot be asked
  double seconds = 0;
};

/// Answers about a film, or the reason why there are none.
struct AnswerResult {
  std::optional<RunResult> run;
  std::optional<std::string> failure;
};

class Evaluation {
 public:
  Evaluation(const Engine& engine, const DataSet& data, const Json& manifest,
             const EvalOptions& options, const Callbacks& callbacks)
      : engine_(engine),
        data_(data),
        options_(options),
        callbacks_(callbacks),
        files_(folder_of(options)),
        indices_(options.shard.indices(std::ssize(data.films))),
        folder_(options.out, manifest, options.resume || options.retry_failed) {
    check_rows();
    check_films();
  }

  EvalResult run() {
    const std::vector<size_t> places = places_to_do();
    done_ = std::ssize(indices_) - std::ssize(places);
    failed_ = failures();
    write_status("running");
    try {
      answer_all(places);
      return finish();
    } catch (...) {
      write_status("stopped");
      throw;
    }
  }

 private:
  /// Films are answered about together as soon as they have as many questions as are decoded at a
  /// time; those of one film may be more.
  void answer_all(const std::vector<size_t>& places) {
    const int64_t together = engine_.settings().runtime.answers;
    Prefetcher<WatchResult> ahead(std::ssize(places), static_cast<size_t>(together),
                                  [&](int64_t number, const CancelFlag& stop) {
                                    return watch(film_at(places[static_cast<size_t>(number)]),
                                                 stop);
                                  });
    for (auto place = places.begin(); place != places.end();) {
      std::vector<WatchResult> ready;
      const auto first = place;
      for (int64_t questions = 0; place != places.end() && questions < together; ++place) {
        ready.push_back(ahead.next(callbacks_.cancel));
        if (ready.back().film) questions += std::ssize(film_at(*place).items);
      }
      answer({first, place}, std::move(ready));
    }
  }

  const Film& film_at(size_t place) const {
    return data_.films[static_cast<size_t>(indices_[place])];
  }

  void check_rows() const {
    for (size_t place = 0; place < folder_.rows().size(); ++place) {
      const Prediction& row = folder_.rows()[place];
      if (place < indices_.size() && row.index == indices_[place] &&
          row.video == film_at(place).name) {
        continue;
      }
      throw input_error(
          "'{}' line {} is of '{}', which is not the run's video there; give another --out",
          (folder_.path() / "predictions.jsonl").string(), place + 1, row.video);
    }
  }

  /// Answers about two films under one name would be mixed.
  void check_films() const {
    const auto& rows = folder_.rows();
    for (size_t place = 0; files_ && place < rows.size(); ++place) {
      if (callbacks_.progress) {
        callbacks_.progress({"checking", static_cast<int64_t>(place), std::ssize(rows), "videos"});
      }
      const Prediction& row = rows[place];
      if (row.error || !row.file) continue;  // nothing was answered
      const auto now = film_identity(files_->path() / *row.file, callbacks_.cancel);
      if (!now || now == row.sha256.value_or(*now)) continue;
      throw input_error(
          "film '{}' has other bytes than when the run in '{}' answered; put it back, "
          "or give another --out",
          *row.file, folder_.path().string());
    }
  }

  std::vector<size_t> places_to_do() const {
    std::vector<size_t> places;
    for (size_t place = 0; place < indices_.size(); ++place) {
      const bool there = place < folder_.rows().size();
      if (!there || (options_.retry_failed && !failures_of(folder_.rows()[place]).empty())) {
        places.push_back(place);
      }
    }
    return places;
  }

  /// Watches a film, on the prefetcher's thread.
  WatchResult watch(const Film& film, const CancelFlag& stop) const {
    const auto start = Clock::now();
    WatchResult ready;
    std::filesystem::path file;
    Callbacks callbacks;
    callbacks.warn = callbacks_.warn;
    callbacks.cancel = &stop;
    callbacks.progress = [this](const Progress&) { report_progress(); };
    callbacks.on_open = [&](const VideoInfo& found, std::vector<Question>& questions) {
      ask_as_annotated(film, found, options_.features ? FilmFiles::features : FilmFiles::videos,
                       options_.settings.strict, questions, callbacks_.warn);
    };
    std::future<std::optional<std::string>> identity;  // beside the decoder; waits when it goes
    try {
      if (files_) {
        const std::filesystem::path found = files_->find(film);
        ready.file = found.generic_string();
        file = files_->path() / found;
        identity = std::async(std::launch::async | std::launch::deferred,
                              [&] { return film_identity(file, &stop); });
      }
      RunOptions run = run_options();
      if (options_.features) run.features = timing_of(film, file);
      const std::vector<Question> questions = askable(film, ready.refusals);
      if (!questions.empty()) ready.film = engine_.watch(file, questions, run, callbacks);
      if (files_) ready.sha256 = identity.get();
    } catch (const Error& error) {
      ready.failure = without_folder(error.what(), file, film.name);
    }
    ready.seconds = seconds_since(start);
    return ready;
  }

  /// Questions that can be asked; notes why others cannot.
  std::vector<Question> askable(const Film& film,
                                std::vector<std::optional<std::string>>& refusals) const {
    std::vector<Question> questions;
    for (const Item& item : film.items) {
      refusals.emplace_back();
      try {
        engine_.check(item.question);
        questions.push_back({item.question, item.at, item.frame});
      } catch (const InputError& error) {
        refusals.back() = error.what();
      }
    }
    return questions;
  }

  void answer(const std::vector<size_t>& places, std::vector<WatchResult> ready) {
    std::vector<WatchedFilm> films;
    for (WatchResult& one : ready) {
      if (one.film) films.push_back(*std::move(one.film));
    }
    const std::vector<AnswerResult> answered = answers_about(films);
    auto next = answered.begin();
    for (size_t i = 0; i < places.size(); ++i) {
      const AnswerResult* about = ready[i].film ? &*next++ : nullptr;
      if (about != nullptr && about->failure) ready[i].failure = about->failure;
      put(places[i], ready[i], about != nullptr && about->run ? &*about->run : nullptr);
    }
  }

  /// Answers about all films together; where that fails, about each alone, so that no film costs
  /// another its answers.
  std::vector<AnswerResult> answers_about(const std::vector<WatchedFilm>& films) const {
    Callbacks callbacks;
    callbacks.warn = callbacks_.warn;
    callbacks.cancel = callbacks_.cancel;
    callbacks.progress = [this](const Progress&) { report_progress(); };
    std::vector<AnswerResult> answered;
    try {
      for (RunResult& run : engine_.answer_all(films, run_options(), callbacks)) {
        answered.push_back({std::move(run), {}});
      }
      return answered;
    } catch (const Error& error) {
      if (films.size() == 1) return {{std::nullopt, error.what()}};
    }
    for (const WatchedFilm& film : films) answered.push_back(answers_about({film}).front());
    return answered;
  }

  /// Writes the row of a film; `run` holds the answers, if it could be watched.
  void put(size_t place, const WatchResult& ready, const RunResult* run) {
    const Film& film = film_at(place);
    Prediction row = unanswered(film, indices_[place]);
    row.file = ready.file;
    row.sha256 = ready.sha256;
    row.error = ready.failure;
    for (size_t i = 0; !row.error && i < row.results.size(); ++i) {
      row.results[i].error = ready.refusals[i];
    }
    if (run != nullptr) {
      fill_in(row, *run, options_.evidence);
      folder_.add_cost({.index = row.index,
                        .video = film.name,
                        .questions = std::ssize(film.items),
                        .watch_seconds = ready.seconds,
                        .answer_seconds = seconds_of(*run, "answer"),
                        .stages = run->stages,
                        .peak_host_bytes = resident_memory().peak,
                        .peak_device_bytes = peak_of(engine_.device_memory())});
    }
    for (const Failure& failure : failures_of(row)) {
      if (callbacks_.warn) callbacks_.warn(fmt::format("{} failed: {}", failure.what, failure.why));
    }
    folder_.put(place, std::move(row));
    failed_ = failures();
    ++done_;
    ++done_now_;
    report_progress();
    write_status(done_ == std::ssize(indices_) ? "done" : "running");
  }

  RunOptions run_options() const {
    return {.evidence = options_.evidence, .clamp_moments = true, .features = {}};
  }

  std::optional<double> seconds_left() const {
    if (done_now_ == 0) return std::nullopt;
    return seconds_since(start_) / static_cast<double>(done_now_) *
           static_cast<double>(std::ssize(indices_) - done_);
  }

  /// Reports progress; called from both threads.
  void report_progress() const {
    constexpr double kStatusEvery = 5;  // s
    if (seconds_since(status_written_) > kStatusEvery) write_status("running");
    if (!callbacks_.progress) return;
    const auto left = seconds_left();
    const std::string stage = "evaluating" + (left ? fmt::format(", {} left", hours(*left)) : "");
    callbacks_.progress({stage, done_, std::ssize(indices_), "videos"});
  }

  int64_t failures() const {
    return std::count_if(folder_.rows().begin(), folder_.rows().end(),
                         [](const Prediction& row) { return !failures_of(row).empty(); });
  }

  /// A status that cannot be written is no failure of the film that is watched meanwhile, nor the
  /// reason why a run stopped.
  void write_status(const std::string& state) const {
    const std::lock_guard lock(status_);
    status_written_ = Clock::now();
    Json status;
    status["state"] = state;
    status["videos"] = std::ssize(indices_);
    status["done"] = done_.load();
    status["failed"] = failed_.load();
    status["seconds"] = seconds_since(start_);
    status["seconds_left"] = seconds_left();
    status["updated"] = now();
    try {
      folder_.write_status(status);
    } catch (const Error& error) {
      if (callbacks_.warn && !std::exchange(status_lost_, true)) callbacks_.warn(error.what());
    }
  }

  EvalResult finish() {
    EvalResult result;
    for (const Prediction& row : folder_.rows()) {
      ++result.videos;
      result.questions += std::ssize(row.results);
      for (Failure& failure : failures_of(row)) result.failed.push_back(std::move(failure));
    }
    result.cost = cost_report(folder_.costs());
    write_cost(folder_.path(), result.cost);
    if (options_.moviechat_format) {
      write_moviechat_format(folder_.path(), data_.kind, folder_.rows());
    }
    write_status("done");
    return result;
  }

  const Engine& engine_;
  const DataSet& data_;
  const EvalOptions& options_;
  const Callbacks& callbacks_;
  std::optional<VideoFolder> files_;
  std::vector<int64_t> indices_;  // of the shard's videos
  RunFolder folder_;
  Clock::time_point start_ = Clock::now();
  std::atomic<int64_t> done_{0};      // read by the thread that goes ahead
  std::atomic<int64_t> done_now_{0};  // in this process
  std::atomic<int64_t> failed_{0};
  mutable bool status_lost_ = false;
  mutable std::mutex status_;  // status.json is written by both threads
  mutable std::atomic<Clock::time_point> status_written_{Clock::now()};
};

}  // namespace

EvalResult evaluate(const Engine& engine, const DataSet& data, const Json& manifest,
                    const EvalOptions& options, const Callbacks& callbacks) {
  return Evaluation(engine, data, manifest, options, callbacks).run();
}

}  // namespace moviechat::eval
