#include "cli/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "base/files.h"
#include "base/json.h"
#include "base/message.h"
#include "cli/program.h"
#include "datasets/video_folder.h"
#include "eval/manifest.h"
#include "report/report.h"

namespace moviechat::cli {
namespace {
namespace fs = std::filesystem;
using score::Metric;

/// What runs are scored by.
struct Scoring {
  std::vector<Metric> metrics;
  std::optional<judge::JudgeOptions> judge;  // where metrics have it
  score::BootstrapOptions bootstrap;
};

std::vector<Metric> parse_metrics(const std::string& flag, const std::string& list) {
  std::vector<Metric> metrics;
  std::istringstream words(list + ",");
  for (std::string word; std::getline(words, word, ',');) {
    Metric metric = Metric::exact;
    from_text(flag, word, metric);
    if (std::find(metrics.begin(), metrics.end(), metric) != metrics.end()) {
      throw input_error("{} names '{}' twice", flag, word);
    }
    metrics.push_back(metric);
  }
  return metrics;
}

std::vector<Metric> metrics_of(const ScoreOptions& options) {
  if (options.metrics) return *options.metrics;
  std::vector<Metric> metrics = {Metric::exact, Metric::contains, Metric::yesno, Metric::rouge_l};
  if (!options.judge.url.empty()) metrics.push_back(Metric::judge);
  return metrics;
}

std::string key_of(const ScoreOptions& options) {
  const std::string variable = options.key_variable.value_or("OPENAI_API_KEY");
  const char* key = std::getenv(variable.c_str());
  if (key == nullptr && options.key_variable) {
    throw input_error("--judge-key-env: there is no {} in the environment", variable);
  }
  std::string text = key == nullptr ? "" : key;
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  const auto is_printed = [](unsigned char c) { return c > ' ' && c < 127; };
  if (!std::all_of(text.begin(), text.end(), is_printed)) {
    throw input_error(
        "the key in {} holds a blank or a character that no header can; expected it alone",
        variable);
  }
  return text;
}

judge::JudgeOptions judge_options(const ScoreOptions& options, Messages& messages) {
  judge::JudgeOptions judge = options.judge;
  if (judge.url.empty() || judge.model.empty()) {
    throw InputError("the metric judge needs --judge-url URL and --judge-model NAME");
  }
  judge.key = key_of(options);
  const bool here =
      judge.url.starts_with("http://127.") || judge.url.starts_with("http://localhost");
  if (judge.url.starts_with("http://") && !here && !judge.key.empty()) {
    messages.warn("the judge's key travels unencrypted to " + judge.url);
  }
  return judge;
}

Scoring check_options(const ScoreOptions& options, Messages& messages) {
  if (options.runs.empty()) {
    throw InputError("nothing to score; give what eval wrote: moviechat score run");
  }
  if (options.runs.size() > 2) {
    throw input_error("score takes one run, or two to compare, got {}", options.runs.size());
  }
  if (options.json + options.markdown + options.html > 1) {
    throw InputError("give one of --json, --markdown and --html; --out DIR writes them all");
  }
  if (!options.videos.empty() && options.out.empty() && !options.html) {
    throw InputError("--videos is for the pictures of a page: add --html or --out DIR");
  }
  Scoring scoring{metrics_of(options), {}, options.bootstrap};
  if (std::count(scoring.metrics.begin(), scoring.metrics.end(), Metric::judge) > 0) {
    scoring.judge = judge_options(options, messages);
  } else if (!options.judge.url.empty() || !options.judge.model.empty()) {
    throw InputError("--judge-url and --judge-model go with --metric judge");
  }
  return scoring;
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
    messages.warn(fmt::format("'{}' is left out: {}", file.string(), error.what()));
  }
}

/// A run with what can be scored of it; it has no scores yet.
score::ScoredRun unscored(const fs::path& path) {
  score::ScoredRun run;
  run.run = score::read_run(path);
  run.rows = score::rows_of(run.run);
  if (run.rows.rows.empty()) {
    throw input_error(
        "predictions '{}' hold nothing to score: {} questions, {} without an answer, "
        "{} without a right answer to compare with",
        run.run.file.string(), run.rows.questions, run.rows.failed + run.rows.refused,
        run.rows.unreferenced);
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
void score(score::ScoredRun& run, const score::ScoredRun* other, const Scoring& scoring,
           Messages& messages, const CancelFlag& cancel) {
  for (const Metric metric : scoring.metrics) {
    if (metric != Metric::judge) {
      run.series.push_back(score::offline_series(run.rows.rows, metric));
      continue;
    }
    const judge::Judgement judgement = judged(run, other, *scoring.judge, messages, cancel);
    run.judge = judgement.summary;
    for (auto& series : score::judge_series(run.rows.rows, judgement)) {
      run.series.push_back(std::move(series));
    }
  }
  run.groups = score::group_scores(run.rows.rows, run.series, scoring.bootstrap);
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

/// Pictures of films where a wrong answer stands; of none without a folder of films.
report::Thumbnails pictures(const report::ScoreReport& report,
                            const std::optional<eval::VideoFolder>& folder, Messages& messages,
                            const CancelFlag& cancel) {
  if (!folder) return {};
  auto found = report::thumbnails_of(
      report::wrong_rows(report.first),
      [&](const eval::Prediction& film) {
        eval::Film wanted;
        wanted.name = film.video;
        wanted.file_names = {film.file.value_or(film.video)};
        return folder->path() / folder->find(wanted);
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
                    const ScoreOptions& options) {
  if (options.json) return report::report_json(report);
  if (options.markdown) return report::report_markdown(report);
  if (options.html) return report::report_html(report, thumbnails);
  return report::report_text(report);
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
  throw SomeFailed(fmt::format(
      "the judge gave no verdict on {} answers: {} malformed, {} without a reply; only the latter "
      "are asked again next time",
      failed + malformed, malformed, failed));
}

/// The folder that reports are written into.
void make_out(const fs::path& out) {
  std::error_code error;
  fs::create_directories(out, error);
  if (error) {
    throw input_error("cannot make the folder '{}': {}", out.string(), error.message());
  }
  check_reports_are_ours(out);
}

void add_judge_flags(CLI::App& command, ScoreOptions& options) {
  judge::JudgeOptions& judge = options.judge;
  add_value(command, "--judge-url URL", judge.url,
            "an OpenAI-compatible API, which gets questions, right answers and answers",
            "http://127.0.0.1:8000/v1");
  add_value(command, "--judge-model NAME", judge.model, "the judge, as the API calls it",
            "gpt-4o-mini");
  add_value(command, "--judge-key-env VARIABLE", options.key_variable,
            "the environment variable that holds the API's key", "JUDGE_KEY")
      ->default_str("OPENAI_API_KEY");
  add_value(command, "--judge-concurrency N", judge.concurrency, "requests at the same time", "16");
  add_value(command, "--judge-retries N", judge.retries,
            "retries of a request that fails, after waits that double or as long as the API asks "
            "for",
            "10");
  const auto read_timeout = [&judge](const std::string& flag, const std::string& text) {
    double seconds = 0;
    from_text(flag, text, seconds);
    judge.timeout = Seconds(seconds);
  };
  add_reader(command, "--judge-timeout S", read_timeout, "seconds that a request may take", "120")
      ->default_str(to_text(judge.timeout.count()));
  add_value(command, "--judge-body JSON", judge.body,
            "merged into every request; null takes a key away", "'{\"temperature\": null}'");
  add_value(command, "--judge-verdicts FILE", judge.verdicts,
            "keeps what the judge said, so that nothing is asked twice [verdicts.jsonl beside each "
            "run's predictions]",
            "verdicts.jsonl");
}

}  // namespace

CLI::App* add_score(CLI::App& program, ScoreOptions& options) {
  CLI::App* score = add_command(
      program, "score", "score the answers of an evaluation, or compare two",
      "Reads what eval wrote (its folder or predictions.jsonl; also predictions in the shape of "
      "MovieChat's authors) and says how right it is: of all questions, by mode, category and "
      "length of video, with intervals; of two runs over the same questions also how they differ. "
      "--out DIR writes report.txt, report.json, report.md, report.html and scores.jsonl (a line a "
      "question). A judge is asked with the authors' prompt. Exit code 3: it gave no verdict on "
      "some answers, which are left out.",
      {"moviechat score run", "moviechat score run --metric exact,rouge-l --markdown",
       "moviechat score run u8 --json", "moviechat score run --videos videos --out report"});
  add_operand(*score, "RUN...", options.runs);
  add_heading(*score, "Input");
  add_value(*score, "--videos DIR", options.videos,
            "the data set's videos, for pictures; names are found in any case and with any "
            "extension",
            "videos");
  add_heading(*score, "Output");
  add_value(*score, "--out DIR", options.out, "the folder that is written", "run");
  add_switch(*score, "--json", options.json, "the report as JSON");
  add_switch(*score, "--markdown", options.markdown, "the report as Markdown tables");
  add_switch(*score, "--html", options.html,
             "the report as one page: tables, plots, and every wrong answer, with --videos beside "
             "pictures of its moment and evidence");
  add_log_flags(*score, options.log);
  add_heading(*score, "Score");
  const auto read_metrics = [&options](const std::string& flag, const std::string& text) {
    options.metrics = parse_metrics(flag, text);
  };
  set_words(add_reader(*score, "--metric LIST", read_metrics,
                       "what answers are scored by: exact (same words but for case, punctuation "
                       "and articles), contains (the right answer's words stand in it), yesno, "
                       "rouge-l, judge; several with commas [exact,contains,yesno,rouge-l, and "
                       "judge with --judge-url]",
                       "exact,judge"),
            "exact contains yesno rouge-l judge");
  add_value(*score, "--resamples N", options.bootstrap.resamples,
            "of the bootstrap that intervals come from; 0: no intervals", "10000",
            Range<int64_t>{0, 1'000'000});
  add_judge_flags(*score, options);
  return score;
}

void run_score(const ScoreOptions& options, const CancelFlag& cancel) {
  Messages messages(options.log.level());
  const Scoring scoring = check_options(options, messages);
  Results results;
  if (!options.out.empty()) make_out(options.out);
  report::ScoreReport report;
  report.version = MOVIECHAT_VERSION;
  report.bootstrap = options.bootstrap;
  // all that may be wrong is found before a judge is paid
  report.first = unscored(options.runs[0]);
  if (options.runs.size() == 2) {
    report.second = unscored(options.runs[1]);
    score::check_same_questions(report.first.run, report.second->run);
  }
  std::optional<eval::VideoFolder> films;
  if (!options.videos.empty()) films.emplace(options.videos);
  score(report.first, report.second ? &*report.second : nullptr, scoring, messages, cancel);
  if (report.second) {
    score(*report.second, &report.first, scoring, messages, cancel);
    report.comparison = score::compare(report.first, *report.second, options.bootstrap);
  }
  const report::Thumbnails thumbnails = pictures(report, films, messages, cancel);
  cancel.check();
  if (!options.out.empty()) write_files(report, thumbnails, options.out);
  results.write(printed(report, thumbnails, options));
  check_verdicts(report);
}

}  // namespace moviechat::cli
