#include "cli/eval.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/message.h"
#include "cli/program.h"
#include "eval/manifest.h"

namespace moviechat::cli {
namespace {

/// "2 of 9 videos", "1 question", or both.
std::string failed_text(const eval::EvalResult& result) {
  const auto videos =
      std::count_if(result.failed.begin(), result.failed.end(),
                    [](const eval::Failure& failure) { return failure.whole_film; });
  const auto questions = std::ssize(result.failed) - videos;
  std::vector<std::string> parts;
  if (videos > 0) parts.push_back(fmt::format("{} of {} videos", videos, result.videos));
  if (questions > 0) {
    parts.push_back(fmt::format("{} of {} questions", questions, result.questions));
  }
  return fmt::format("{}", fmt::join(parts, " and "));
}

void check_films(const eval::EvalOptions& run) {
  if (run.features && run.videos) {
    throw InputError("--videos and --features contradict each other; give one of them");
  }
  const auto& folder =
      run.features ? *run.features : needed(run.videos, "--videos", "folder of videos");
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw input_error("{} must be a folder here, got '{}'",
                      run.features ? "--features" : "--videos", folder.string());
  }
}

/// A data set's questions that are asked, and the hash of all of it.
struct Questions {
  eval::DataSet data;
  std::string sha256;
};

Questions read_questions(const EvalOptions& options, const WarningSink& warn) {
  const auto& annotations = *options.annotations;
  Questions read;
  read.data = eval::read_data_set(*options.kind, annotations, warn);
  read.sha256 = read.data.sha256();
  read.data = eval::only(std::move(read.data), options.mode);
  auto& films = read.data.films;
  if (films.empty()) {
    throw input_error("'{}' has no {} question", annotations.string(), name_of(options.mode));
  }
  if (options.limit && *options.limit < std::ssize(films)) {
    films.resize(static_cast<size_t>(*options.limit));
  }
  return read;
}

/// Options of the run, checked. With plan none, no film is read.
eval::EvalOptions check_options(const EvalOptions& options, const ProgramSettings& chosen) {
  needed(options.kind, "--dataset", "kind of data set");
  needed(options.annotations, "--annotations", "annotations");
  eval::EvalOptions run = options.run;
  run.out = needed(options.out, "--out", "folder for the answers");
  run.settings = chosen.eval;
  if (chosen.settings.plan.kind == PlanKind::none) {
    run.videos = run.features = std::nullopt;
  } else {
    check_films(run);
  }
  return run;
}

void add_data_flags(CLI::App& command, EvalOptions& options) {
  add_value(command, "--dataset KIND", options.kind,
            "whose annotations they are; jsonl: our own lines {\"video\", \"question\", "
            "\"answer\", \"at\": TIME as of --at or \"at_frame\": N}",
            "moviechat-1k");
  add_value(command, "--annotations PATH", options.annotations,
            "a data set's questions: a file, or the folder of them", "annotations");
  add_value(command, "--videos DIR", options.run.videos,
            "a data set's videos; names are found in any case and with any extension", "videos");
  add_value(command, "--features DIR", options.run.features,
            "in place of --videos: a folder of the films' frames as the bundle's ViT gave them "
            "before, .npy or .safetensors (scripts/convert features makes them)",
            "features");
  add_value(command, "--mode MODE", options.mode,
            "which questions: about whole films (global), about moments (breakpoint), or both",
            "global");
  add_value(command, "--limit N", options.limit, "only the first N videos", "2", Range<int64_t>{1});
  const auto read_shard = [&options](const std::string& /*flag*/, const std::string& text) {
    options.run.shard = eval::parse_shard(text);
  };
  add_reader(command, "--shard I/N", read_shard,
             "only part I of N: every N-th video from the I-th on; merge puts parts together",
             "2/7");
  add_setting_flags(command, options.settings.given, {"--strict"});
}

}  // namespace

void add_run_format(CLI::App& command, bool& moviechat_format) {
  const auto read = [&moviechat_format](const std::string& flag, const std::string& text) {
    if (text != "moviechat") {
      throw input_error("{} must be moviechat here, got '{}'", flag, text);
    }
    moviechat_format = true;
  };
  set_words(add_reader(command, "--format FORMAT", read,
                       "moviechat: write what the scoring scripts of MovieChat's authors read, too",
                       "moviechat"),
            "moviechat");
}

void print_outcome(const eval::EvalResult& result, const std::filesystem::path& out) {
  std::string text = fmt::format("{} videos, {} questions, in '{}'\n", result.videos,
                                 result.questions, out.string()) +
                     eval::to_text(result.cost);
  for (const eval::Failure& failure : result.failed) {
    text += fmt::format("failed: {}: {}\n", failure.what, one_line(failure.why));
  }
  Results().write(text);
  if (result.failed.empty()) return;
  throw SomeFailed(failed_text(result) + " failed; --retry-failed asks about them again");
}

CLI::App* add_eval(CLI::App& program, EvalOptions& options) {
  CLI::App* command = add_command(
      program, "eval", "answer the questions of a data set, video by video",
      "Reads a data set's annotations, watches each of its videos once, and writes the answers, a "
      "line a video, into a folder: predictions.jsonl, beside manifest.json (what the run is), "
      "timings.jsonl and cost.json (what it cost), status.json (how far it is). A run that was "
      "stopped goes on with --resume; shards of it can run anywhere. Exit code 3: a video could "
      "not be read, or a question not asked; its line says why. Profile text asks without any "
      "video.",
      {"moviechat eval --dataset moviechat-1k --annotations qa --videos videos --out run",
       "moviechat eval --dataset moviechat-1k --annotations qa --videos videos --out run --resume",
       "moviechat eval --dataset moviechat-1k --annotations qa --videos videos --out u8 --plan "
       "uniform:8",
       "moviechat eval --dataset moviechat-1k --annotations qa --out text --profile text",
       "moviechat eval --dataset moviechat-1k --annotations qa --videos videos --out s1 --shard "
       "1/2",
       "moviechat eval --dataset moviechat-1k --annotations qa --videos videos --out s2 --shard "
       "2/2"});
  add_heading(*command, "Input");
  add_data_flags(*command, options);
  add_heading(*command, "Output");
  add_value(*command, "--out DIR", options.out, "the folder that is written", "run");
  add_switch(*command, "--resume", options.run.resume,
             "go on with the run that is in --out; begin it when there is none");
  add_switch(*command, "--retry-failed", options.run.retry_failed,
             "go on, and ask again about videos that could not be read");
  add_run_format(*command, options.run.moviechat_format);
  add_switch(*command, "--evidence", options.run.evidence,
             "name the time spans that each answer rests on");
  add_log_flags(*command, options.log);
  add_model_and_settings(*command, options.settings, /*batch=*/true);
  add_generation(*command, options.settings);
  return command;
}

void run_eval(const EvalOptions& options, const CancelFlag& cancel) {
  Messages messages(options.log.level());
  const Callbacks callbacks = callbacks_of(messages, cancel);
  const MergedSettings merged =
      merge_settings(options.settings, moviechat_environment(), callbacks.warn);
  const ProgramSettings& chosen = merged.chosen;
  if (options.settings.print_config) {
    Results().write(config_text(chosen));
    return;
  }
  const eval::EvalOptions run = check_options(options, chosen);
  const Questions questions = read_questions(options, callbacks.warn);
  const Engine engine = Engine::open(merged.bundle, chosen.settings);
  cancel.check();

  const auto manifest = eval::manifest_of({.version = MOVIECHAT_VERSION,
                                           .bundle_name = engine.bundle().name,
                                           .bundle_sha256 = engine.bundle().sha256,
                                           .profile = chosen.profile,
                                           .settings = list_fields(chosen),
                                           .device = engine.device(),
                                           .dtype = engine.dtype(),
                                           .kind = *options.kind,
                                           .data_sha256 = questions.sha256,
                                           .input = run.features ? "features"
                                                    : run.videos ? "videos"
                                                                 : "none",
                                           .mode = options.mode,
                                           .videos = std::ssize(questions.data.films),
                                           .questions = questions.data.questions(),
                                           .evidence = run.evidence,
                                           .shard = run.shard});
  eval::EvalResult result;
  try {
    result = eval::evaluate(engine, questions.data, manifest, run, callbacks);
  } catch (const Cancelled&) {
    throw StoppedRun();
  }
  messages.clear_bar();
  print_outcome(result, run.out);
}

}  // namespace moviechat::cli
