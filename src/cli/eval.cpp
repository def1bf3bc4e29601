#include "cli/eval.h"

#include <algorithm>

#include "bundle/device.h"
#include "eval/manifest.h"
#include "eval/merge.h"

namespace moviechat::cli {
namespace {

std::string needed(const Arguments& arguments, std::string_view flag, const std::string& what) {
  if (const auto value = arguments.value(flag)) return *value;
  throw InputError("no " + what + "; give " + std::string(flag) + " (moviechat " + "eval --help)");
}

bool wants_moviechat_format(const Arguments& arguments) {
  const auto format = arguments.value("--format");
  if (format && *format != "moviechat") {
    throw InputError("--format must be moviechat here, got '" + *format + "'");
  }
  return format.has_value();
}

/// "2 of 9 videos", "1 question", or both.
std::string failed_text(const eval::EvalResult& result) {
  const auto videos =
      std::count_if(result.failed.begin(), result.failed.end(),
                    [](const eval::Failure& failure) { return failure.whole_film; });
  const auto questions = std::ssize(result.failed) - videos;
  std::string text;
  if (videos > 0) {
    text = std::to_string(videos) + " of " + std::to_string(result.videos) + " videos";
  }
  if (questions > 0) {
    text += (text.empty() ? "" : " and ") + std::to_string(questions) + " of " +
            std::to_string(result.questions) + " questions";
  }
  return text;
}

/// What a run came to. Throws SomeFailed after it is told, when something failed.
void tell(const eval::EvalResult& result, const std::filesystem::path& out) {
  std::string text = std::to_string(result.videos) + " videos, " +
                     std::to_string(result.questions) + " questions, in '" + out.string() + "'\n" +
                     eval::to_text(result.cost);
  for (const eval::Failure& failure : result.failed) {
    text += "failed: " + failure.what + ": " + one_line(failure.why) + "\n";
  }
  Results().write(text);
  if (result.failed.empty()) return;
  throw SomeFailed(failed_text(result) + " failed; --retry-failed asks about them again");
}

/// --videos or --features.
void read_films(const Arguments& arguments, eval::EvalOptions& run) {
  const auto features = arguments.value("--features");
  if (features && arguments.has("--videos")) {
    throw InputError("--videos and --features contradict each other; give one of them");
  }
  if (features) {
    run.features = *features;
  } else {
    run.videos = needed(arguments, "--videos", "folder of videos");
  }
  const std::filesystem::path& folder = features ? *run.features : *run.videos;
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw InputError(std::string(features ? "--features" : "--videos") +
                     " must be a folder here, got '" + folder.string() + "'");
  }
}

eval::DataSet read_questions(const EvalCommand& command, Messages& messages, std::string& sha256) {
  eval::DataSet data = eval::read_data_set(command.kind, command.annotations,
                                           [&](const std::string& line) { messages.warn(line); });
  sha256 = data.sha256();
  data = eval::only(std::move(data), command.mode);
  if (data.films.empty()) {
    throw InputError("'" + command.annotations.string() + "' has no " +
                     std::string(name_of(command.mode)) + " question");
  }
  if (command.limit && *command.limit < std::ssize(data.films)) {
    data.films.resize(static_cast<size_t>(*command.limit));
  }
  return data;
}

}  // namespace

EvalCommand read_eval(const Arguments& arguments, const Environment& environment,
                      Messages& messages) {
  EvalCommand command;
  command.merged =
      merge_settings(arguments, environment, [&](const std::string& line) { messages.warn(line); });
  command.print_config = arguments.has("--print-config");
  if (command.print_config) return command;
  from_text("--dataset", needed(arguments, "--dataset", "kind of data set"), command.kind);
  command.annotations = needed(arguments, "--annotations", "annotations");
  command.run.out = needed(arguments, "--out", "folder for the answers");
  if (command.merged.chosen.settings.plan.kind != PlanKind::none) {
    read_films(arguments, command.run);
  }
  if (const auto mode = arguments.value("--mode")) from_text("--mode", *mode, command.mode);
  if (const auto limit = arguments.value("--limit")) {
    from_text("--limit", *limit, command.limit.emplace(), {1});
  }
  if (const auto shard = arguments.value("--shard")) command.run.shard = eval::parse_shard(*shard);
  command.run.resume = arguments.has("--resume");
  command.run.retry_failed = arguments.has("--retry-failed");
  command.run.evidence = arguments.has("--evidence");
  command.run.moviechat_format = wants_moviechat_format(arguments);
  command.run.settings = command.merged.chosen.eval;
  return command;
}

void run_eval(const EvalCommand& command, Messages& messages, const CancelFlag& cancel) {
  const ProgramSettings& chosen = command.merged.chosen;
  if (command.print_config) {
    Results().write(config_text(chosen));
    return;
  }
  std::string data_sha256;
  const eval::DataSet data = read_questions(command, messages, data_sha256);
  const Engine engine = Engine::open(command.merged.bundle, chosen.settings);
  cancel.check();

  const auto manifest = eval::manifest_of({.version = MOVIECHAT_VERSION,
                                           .bundle_name = engine.bundle().name,
                                           .bundle_sha256 = engine.bundle().sha256,
                                           .profile = chosen.profile,
                                           .settings = list_fields(chosen),
                                           .device = engine.device(),
                                           .dtype = engine.dtype(),
                                           .kind = command.kind,
                                           .data_sha256 = data_sha256,
                                           .input = command.run.features ? "features"
                                                    : command.run.videos ? "videos"
                                                                         : "none",
                                           .mode = command.mode,
                                           .videos = std::ssize(data.films),
                                           .questions = data.questions(),
                                           .evidence = command.run.evidence,
                                           .shard = command.run.shard});
  Callbacks callbacks;
  callbacks.warn = [&](const std::string& line) { messages.warn(line); };
  callbacks.progress = [&](const Progress& progress) { messages.progress(progress); };
  callbacks.cancel = &cancel;
  eval::EvalResult result;
  try {
    result = eval::evaluate(engine, data, manifest, command.run, callbacks);
  } catch (const Cancelled&) {
    throw StoppedRun();
  }
  messages.clear_bar();
  tell(result, command.run.out);
}

MergeCommand read_merge(const Arguments& arguments) {
  MergeCommand command;
  for (const std::string& folder : arguments.operands) command.shards.emplace_back(folder);
  command.out = needed(arguments, "--out", "folder for the merged run");
  command.moviechat_format = wants_moviechat_format(arguments);
  return command;
}

void run_merge(const MergeCommand& command) {
  tell(eval::merge(command.shards, command.out, command.moviechat_format), command.out);
}

}  // namespace moviechat::cli
