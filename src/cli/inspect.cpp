#include "cli/inspect.h"

#include <fmt/format.h>

#include "base/message.h"
#include "base/moment.h"
#include "cli/frame_folder.h"
#include "cli/inspect_bundle.h"
#include "engine/bundle_loading.h"
#include "media/film_index.h"
#include "media/frame_reader.h"

namespace moviechat::cli {
namespace {
namespace fs = std::filesystem;

/// One frame of the plan as the reader found it.
struct PlannedFrame {
  int64_t clip = 0;
  Shown shown;
  std::string file;  // of --frames
};

struct VideoReport {
  std::string path;
  std::string profile;
  PlanOptions plan_options;
  VideoInfo info;
  SamplingPlan plan;
  std::vector<PlannedFrame> frames;
  ReadStats stats;
  int64_t frames_missing = 0;
};

Json frames_json(const std::vector<PlannedFrame>& frames) {
  Json list = Json::array();
  for (const PlannedFrame& frame : frames) {
    Json one = {{"clip", frame.clip},
                {"index", frame.shown.index},
                {"pts", frame.shown.pts},
                {"seconds", frame.shown.time.count()}};
    if (!frame.file.empty()) one["file"] = frame.file;
    list.push_back(std::move(one));
  }
  return list;
}

/// Gaps between frames, and joins, where another recording begins; times in seconds.
Json continuity_json(const VideoInfo& info) {
  Json json = {{"gaps", Json::array()}, {"joins", Json::array()}};
  if (!info.index) return json;
  for (const FilmIndex::Gap& gap : info.index->gaps()) {
    json["gaps"].push_back({{"seconds", gap.time.count()},
                            {"length", gap.length.count()},
                            {"frames", gap.frames},
                            {"damaged", gap.damaged}});
  }
  for (const int64_t frame : info.index->joins()) {
    json["joins"].push_back({{"frame", frame}, {"seconds", info.index->time(frame).count()}});
  }
  return json;
}

Json video_json(const VideoReport& report) {
  const VideoInfo& info = report.info;
  Json json;
  json["schema_version"] = 1;
  json["version"] = MOVIECHAT_VERSION;
  json["video"] = {{"path", report.path},         {"duration", info.duration.count()},
                   {"fps", info.fps.value()},     {"frames", info.frames},
                   {"container", info.container}, {"codec", info.codec},
                   {"width", info.width},         {"height", info.height},
                   {"rotation", info.rotation},   {"pixel_format", info.pixel_format},
                   {"start", info.start.count()}, {"duration_measured", info.duration_measured}};
  if (info.promised) json["video"]["promised"] = info.promised->count();
  json["video"].update(continuity_json(info));
  json["video"]["losses"] = {{"packets_lost", report.stats.packets_lost},
                             {"frames_repaired", report.stats.frames_repaired},
                             {"frames_missing", report.frames_missing}};
  json["profile"] = report.profile;
  json["plan"] = plan_json(report.plan_options, report.plan);
  json["frames"] = frames_json(report.frames);
  json["counts"] = {{"frames_decoded", report.stats.frames_decoded}, {"seeks", report.stats.seeks}};
  return json;
}

std::string video_text(const VideoReport& report) {
  const VideoInfo& info = report.info;
  std::string text = fmt::format(
      "video   {}\nformat  {}, {}, {}\npicture {}x{}{}\nlength  {} ({} s{}), {} fps, {} frames\n",
      one_line(report.path), info.container, info.codec, info.pixel_format, info.width, info.height,
      info.rotation == 0 ? "" : fmt::format(", rotated by {} degrees", info.rotation),
      clock_text(info.duration), to_text(info.duration.count()),
      info.duration_measured ? ", measured" : "", to_text(info.fps.value()), info.frames);
  text += "plan    " + report.plan.describe() + "\n";
  text += "\n  clip   frame           pts  time\n";
  for (const PlannedFrame& frame : report.frames) {
    text += fmt::format("{:>6} {:>7} {:>13}  {}\n", frame.clip, frame.shown.index, frame.shown.pts,
                        clock_text(frame.shown.time));
  }
  return text;
}

std::string inspect_video(const InspectOptions& options, const MergedSettings& merged,
                          Format format, const Callbacks& callbacks) {
  check_address_space(merged.bundle);
  const Settings& settings = merged.chosen.settings;
  ReaderOptions reading = Engine::reader_options(settings, merged.bundle, {}, callbacks);
  reading.as_it_comes = false;  // its length is asked for
  const std::string film = film_path(*options.subject);
  FrameReader reader(film, reading);
  VideoReport report{.path = film,
                     .profile = merged.chosen.profile,
                     .plan_options = settings.plan,
                     .info = reader.info(),
                     .plan = Engine::plan(settings, reader.info()),
                     .frames = {},
                     .stats = {},
                     .frames_missing = 0};
  std::optional<FrameFolder> folder;
  if (!options.frames_folder.empty()) {
    folder.emplace(options.frames_folder, reader.width(), reader.height());
  }
  std::vector<uint8_t> rgb(folder ? reader.frame_bytes() : 0);
  const int64_t total = report.plan.sample_count();
  for (const Clip& clip : report.plan.clips) {
    for (const Sample& sample : clip.samples) {
      callbacks.cancel->check();
      PlannedFrame frame{
          .clip = clip.index, .shown = reader.shown_at(sample.time, rgb), .file = ""};
      if (is_beyond_end(report.info, sample.time, frame.shown)) continue;
      if (folder) frame.file = folder->add(frame.shown, rgb);
      report.frames.push_back(std::move(frame));
      callbacks.progress(
          {"inspecting", static_cast<int64_t>(report.frames.size()), total, "frames"});
    }
  }
  reader.finish();
  report.stats = reader.stats();
  report.frames_missing = reader.frames_missing();
  if (folder) folder->finish(frames_json(report.frames));
  return format == Format::json ? printed(video_json(report)) : video_text(report);
}

/// The folder that is inspected is the model: neither --model nor --frames goes with it.
void use_as_model(const InspectOptions& options, std::vector<Assignment>& given) {
  if (!options.frames_folder.empty()) {
    throw input_error("--frames goes with a video, '{}' is a folder", *options.subject);
  }
  for (const Assignment& one : given) {
    if (one.origin != "--model") continue;
    throw input_error("--model goes with a video; the bundle to inspect is '{}'", *options.subject);
  }
  given.push_back({"model", *options.subject, "--model"});
}

}  // namespace

CLI::App* add_inspect(CLI::App& program, InspectOptions& options) {
  CLI::App* inspect = add_command(
      program, "inspect",
      "show a video's plan, frames and timestamps, or a bundle's parts and self-test",
      "Of a video: what it is, and the frames that a plan reads, with their timestamps. Of a "
      "bundle "
      "(a folder): its parts, sizes, hashes and sources, the result of its self-test, and the "
      "memory that it needs on the device.",
      {"moviechat inspect film.mp4 --plan uniform:8",
       "moviechat inspect film.mp4 --plan fps:1 --frames frames --json",
       "moviechat inspect models/mini"});
  add_operand(*inspect, "VIDEO|BUNDLE", options.subject);
  add_heading(*inspect, "Input");
  add_setting_flags(*inspect, options.settings.given, {"--strict", "--allow-url"});
  add_heading(*inspect, "Output");
  add_format_flags(*inspect, options.format,
                   "what was found is printed: text (the default) or json (one object)",
                   "text json");
  add_value(*inspect, "--frames DIR", options.frames_folder,
            "write the frames that the plan reads into a new folder, as PNG of the size that the "
            "model sees, with frames.json (index, pts, seconds)",
            "frames");
  add_log_flags(*inspect, options.log);
  add_model_and_settings(*inspect, options.settings, /*batch=*/false);
  return inspect;
}

void run_inspect(const InspectOptions& options, const CancelFlag& cancel) {
  Messages messages(options.log.level());
  const Callbacks callbacks = callbacks_of(messages, cancel);
  const Format format = options.format.text_or_json("inspect");
  if (!options.subject && !options.settings.print_config) {
    throw InputError("nothing to inspect; give a video or a bundle: moviechat inspect film.mp4");
  }
  SettingsGiven settings = options.settings;
  std::error_code ignored;
  const bool is_bundle = options.subject && fs::is_directory(*options.subject, ignored);
  if (is_bundle) use_as_model(options, settings.given);
  const MergedSettings merged = merge_settings(settings, moviechat_environment(), callbacks.warn);
  Results results;
  if (settings.print_config) {
    results.write(config_text(merged.chosen));
    return;
  }
  const std::string text = is_bundle ? inspect_bundle(merged, format)
                                     : inspect_video(options, merged, format, callbacks);
  cancel.check();
  messages.clear_bar();
  results.write(text);
}

}  // namespace moviechat::cli
