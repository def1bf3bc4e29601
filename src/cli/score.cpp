#include "cli/score.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "base/files.h"
#include "base/json.h"
#include "cli/eval.h"
#include "datasets/video_folder.h"
#include "eval/manifest.h"
#include "report/report.h"

namespace moviechat::cli {
namespace {
namespace fs = std::filesystem;
using score::Metric;

std::vector<Metric> metrics_of(const Arguments& arguments) {
  const auto named = arguments.value("--metric");
  if (!named) {
    std::vector<Metric> metrics = {Metric::exact, Metric::contains, Metric::yesno, Metric::rouge_l};
    if (arguments.has("--judge-url")) metrics.push_back(Metric::judge);
    return metrics;
  }
  std::vector<Metric> metrics;
  std::istringstream words(*named + ",");
  for (std::string word; std::getline(words, word, ',');) {
    Metric metric = Metric::exact;
    from_text("--metric", word, metric);
    if (std::find(metrics.begin(), metrics.end(), metric) != metrics.end()) {
      throw InputError("--metric names '" + word + "' twice");
    }
    metrics.push_back(metric);
  }
  return metrics;
}

ScoreFormat format_of_report(const Arguments& arguments) {
  ScoreFormat format = ScoreFormat::text;
  for (const auto& [flag, named] :
       {std::pair{"--json", ScoreFormat::json}, std::pair{"--markdown", ScoreFormat::markdown},
        std::pair{"--html", ScoreFormat::html}}) {
    if (!arguments.has(flag)) continue;
    if (format != ScoreFormat::text) {
      throw InputError("give one of --json, --markdown and --html; --out DIR writes them all");
    }
    format = named;
  }
  return format;
}

template <class Number>
void set_number(const Arguments& arguments, const std::string& flag, Number& number) {
  if (const auto text = arguments.value(flag)) from_text(flag, *text, number);
}

std::string key_of(const Arguments& arguments) {
  const std::string variable = arguments.value("--judge-key-env").value_or("OPENAI_API_KEY");
  const char* key = std::getenv(variable.c_str());
  if (key == nullptr && arguments.has("--judge-key-env")) {
    throw InputError("--judge-key-env: there is no " + variable + " in the environment");
  }
  std::string text = key == nullptr ? "" : key;
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  const auto is_printed = [](unsigned char c) { return c > ' ' && c < 127; };
  if (!std::all_of(text.begin(), text.end(), is_printed)) {
    throw InputError("the key in " + variable +
                     " holds a blank or a character that no header can; expected it alone");
  }
  return text;
}

judge::JudgeOptions judge_options(const Arguments& arguments) {
  judge::JudgeOptions options;
  const auto url = arguments.value("--judge-url");
  const auto model = arguments.value("--judge-model");
  if (!url || !model) {
    throw InputError("the metric judge needs --judge-url URL and --judge-model NAME");
  }
  options.url = *url;
  options.model = *model;
  options.key = key_of(arguments);
  options.body = arguments.value("--judge-body").value_or("");
  set_number(arguments, "--judge-concurrency", options.concurrency);
  set_number(arguments, "--judge-retries", options.retries);
  double timeout = options.timeout.count();
  set_number(arguments, "--judge-timeout", timeout);
  options.timeout = Seconds(timeout);
  options.verdicts = arguments.value("--judge-verdicts").value_or("");
  return options;
}

/// Reads what eval wrote beside predictions; a report can do without it.
template <class Read>
void read_beside(const fs::path& predictions, const char* name, Messages& messages, Read read) {
  const fs::path file = predictions.parent_path() / name;
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return;
  try {
    read(file);
  } catch (const std::exception& error) {
    messages.warn("'" + file.string() + "' is left out: " + error.what());
  }
}

/// A run with what can be scored of it; it has no scores yet.
score::ScoredRun unscored(const fs::path& path) {
  score::ScoredRun run;
  run.run = score::read_run(path);
  run.rows = score::rows_of(run.run);
  if (run.rows.rows.empty()) {
    throw InputError("predictions '" + run.run.file.string() +
                     "' hold nothing to score: " + std::to_string(run.rows.questions) +
                     " questions, " + std::to_string(run.rows.failed + run.rows.refused) +
                     " without an answer, " + std::to_string(run.rows.unreferenced) +
                     " without a right answer to compare with");
  }
  return run;
}

fs::path verdicts_of(const score::ScoredRun& run) {
  return run.run.file.parent_path() / "verdicts.jsonl";
}

/// What was said of a run's answers stays beside it, whatever it is compared with.
judge::Judgement judged(const score::ScoredRun& run, const score::ScoredRun* other,
                        judge::JudgeOptions options, Messages& messages, const CancelFlag& cancel) {
  if (options.verdicts.empty()) {
    options.verdicts = verdicts_of(run);
    if (other != nullptr) options.others = {verdicts_of(*other)};
  }
  judge::Judgement judgement = judge::ask_judge(
      score::judge_questions(run.rows.rows), options,
      [&](const Progress& progress) { messages.progress(progress); }, &cancel);
  messages.clear_bar();
  return judgement;
}

/// `other` is the run that it is compared with, if any.
void score(score::ScoredRun& run, const score::ScoredRun* other, const ScoreCommand& command,
           Messages& messages, const CancelFlag& cancel) {
  for (const Metric metric : command.metrics) {
    if (metric != Metric::judge) {
      run.series.push_back(score::offline_series(run.rows.rows, metric));
      continue;
    }
    const judge::Judgement judgement = judged(run, other, *command.judge, messages, cancel);
    run.judge = judgement.summary;
    for (auto& series : score::judge_series(run.rows.rows, judgement)) {
      run.series.push_back(std::move(series));
    }
  }
  run.groups = score::group_scores(run.rows.rows, run.series, command.bootstrap);
  read_beside(run.run.file, "manifest.json", messages, [&](const fs::path& file) {
    run.manifest = eval::read_manifest(file.parent_path());
  });
  read_beside(run.run.file, "timings.jsonl", messages, [&](const fs::path& file) {
    std::vector<std::string> lines;
    std::istringstream text(read_file(file, "timings"));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    if (!lines.empty()) run.cost = eval::cost_report(lines);
  });
}

/// The folder of films, where pictures of them are wanted.
std::optional<eval::VideoFolder> folder_of_films(const ScoreCommand& command) {
  const bool wanted = command.format == ScoreFormat::html || !command.out.empty();
  if (!wanted || command.videos.empty()) return std::nullopt;
  return eval::VideoFolder(command.videos);
}

report::Thumbnails pictures(const report::ScoreReport& report, const eval::VideoFolder& folder,
                            Messages& messages, const CancelFlag& cancel) {
  auto found = report::thumbnails_of(
      report::wrong_rows(report.first),
      [&](const eval::Prediction& film) {
        eval::Film wanted;
        wanted.name = film.video;
        wanted.file_names = {film.file.value_or(film.video)};
        return folder.path() / folder.find(wanted);
      },
      [&](const std::string& line) { messages.warn(line); },
      [&](const Progress& progress) { messages.progress(progress); }, &cancel);
  messages.clear_bar();
  return found;
}

/// Reports of ours are replaced by new ones; files of others that are called like them are not.
void check_reports_are_ours(const fs::path& out) {
  std::error_code ignored;
  const fs::path mark = out / "report.json";
  if (fs::is_regular_file(mark, ignored)) {
    const auto json = parse_json(read_file(mark, "report"));
    if (json.is_object() && json.contains("schema_version") && json.contains("runs")) return;
  }
  refuse_files_of_others(out,
                         {"report.json", "report.txt", "report.md", "report.html", "scores.jsonl",
                          "scores-second.jsonl"},
                         "a report.json of moviechat score");
}

void write_files(const report::ScoreReport& report, const report::Thumbnails& thumbnails,
                 const fs::path& out) {
  write_file(out / "report.json", report::report_json(report));  // first: the others go with it
  write_file(out / "report.txt", report::report_text(report));
  write_file(out / "report.md", report::report_markdown(report));
  write_file(out / "report.html", report::report_html(report, thumbnails));
  write_file(out / "scores.jsonl", report::scores_jsonl(report.first));
  if (report.second) write_file(out / "scores-second.jsonl", report::scores_jsonl(*report.second));
}

std::string printed(const report::ScoreReport& report, const report::Thumbnails& thumbnails,
                    ScoreFormat format) {
  switch (format) {
    case ScoreFormat::text:
      return report::report_text(report);
    case ScoreFormat::json:
      return report::report_json(report);
    case ScoreFormat::markdown:
      return report::report_markdown(report);
    case ScoreFormat::html:
      return report::report_html(report, thumbnails);
  }
  throw Error("a format without a printer");
}

void check_verdicts(const report::ScoreReport& report) {
  int64_t failed = 0;
  int64_t malformed = 0;
  for (const score::ScoredRun* run : {&report.first, report.second ? &*report.second : nullptr}) {
    if (run == nullptr || !run->judge) continue;
    failed += run->judge->failed;
    malformed += run->judge->malformed;
  }
  if (failed + malformed == 0) return;
  throw SomeFailed("the judge gave no verdict on " + std::to_string(failed + malformed) +
                   " answers: " + std::to_string(malformed) + " malformed, " +
                   std::to_string(failed) +
                   " without a reply; only the latter are asked again next time");
}

}  // namespace

ScoreCommand read_score(const Arguments& arguments, Messages& messages) {
  ScoreCommand command;
  for (const std::string& run : arguments.operands) command.runs.emplace_back(run);
  if (command.runs.empty()) {
    throw InputError("nothing to score; give what eval wrote: moviechat score run");
  }
  if (command.runs.size() > 2) {
    throw InputError("score takes one run, or two to compare, got " +
                     std::to_string(command.runs.size()));
  }
  command.metrics = metrics_of(arguments);
  command.format = format_of_report(arguments);
  command.out = arguments.value("--out").value_or("");
  command.videos = arguments.value("--videos").value_or("");
  if (const auto resamples = arguments.value("--resamples")) {
    from_text("--resamples", *resamples, command.bootstrap.resamples, {0, 1'000'000});
  }
  if (!command.videos.empty() && command.out.empty() && command.format != ScoreFormat::html) {
    throw InputError("--videos is for the pictures of a page: add --html or --out DIR");
  }
  const bool judged = std::find(command.metrics.begin(), command.metrics.end(), Metric::judge) !=
                      command.metrics.end();
  if (judged) {
    command.judge = judge_options(arguments);
    const std::string& url = command.judge->url;
    const bool here = url.starts_with("http://127.") || url.starts_with("http://localhost");
    if (url.starts_with("http://") && !here && !command.judge->key.empty()) {
      messages.warn("the judge's key travels unencrypted to " + url);
    }
  } else if (arguments.has("--judge-url") || arguments.has("--judge-model")) {
    throw InputError("--judge-url and --judge-model go with --metric judge");
  }
  return command;
}

void run_score(const ScoreCommand& command, Messages& messages, const CancelFlag& cancel) {
  Results results;
  if (!command.out.empty()) {
    std::error_code error;
    fs::create_directories(command.out, error);
    if (error) {
      throw InputError("cannot make the folder '" + command.out.string() + "': " + error.message());
    }
    check_reports_are_ours(command.out);
  }
  report::ScoreReport report;
  report.version = MOVIECHAT_VERSION;
  report.bootstrap = command.bootstrap;
  // all that may be wrong is found before a judge is paid
  report.first = unscored(command.runs[0]);
  if (command.runs.size() == 2) {
    report.second = unscored(command.runs[1]);
    score::check_same_questions(report.first.run, report.second->run);
  }
  const auto films = folder_of_films(command);
  score(report.first, report.second ? &*report.second : nullptr, command, messages, cancel);
  if (report.second) {
    score(*report.second, &report.first, command, messages, cancel);
    report.comparison = score::compare(report.first, *report.second, command.bootstrap);
  }
  report::Thumbnails thumbnails;
  if (films) thumbnails = pictures(report, *films, messages, cancel);
  cancel.check();
  if (!command.out.empty()) write_files(report, thumbnails, command.out);
  results.write(printed(report, thumbnails, command.format));
  check_verdicts(report);
}

}  // namespace moviechat::cli
