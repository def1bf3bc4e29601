#include "cli/inspect.h"

#include "base/moment.h"
#include "cli/frame_folder.h"
#include "cli/inspect_bundle.h"
#include "engine/bundle_loading.h"
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
  std::string text = "video   " + one_line(report.path) + "\n";
  text += "format  " + info.container + ", " + info.codec + ", " + info.pixel_format + "\n";
  text += "picture " + std::to_string(info.width) + "x" + std::to_string(info.height) +
          (info.rotation == 0 ? "" : ", rotated by " + std::to_string(info.rotation) + " degrees") +
          "\n";
  text += "length  " + clock_text(info.duration) + " (" + to_text(info.duration.count()) + " s" +
          (info.duration_measured ? ", measured" : "") + "), " + to_text(info.fps.value()) +
          " fps, " + std::to_string(info.frames) + " frames\n";
  text += "plan    " + report.plan.describe() + "\n";
  text += "\n  clip   frame           pts  time\n";
  for (const PlannedFrame& frame : report.frames) {
    std::array<char, 96> line{};
    std::snprintf(line.data(), line.size(), "%6lld %7lld %13lld  %s\n",
                  static_cast<long long>(frame.clip), static_cast<long long>(frame.shown.index),
                  static_cast<long long>(frame.shown.pts), clock_text(frame.shown.time).c_str());
    text += line.data();
  }
  return text;
}

std::string inspect_video(const InspectOptions& options, Messages& messages,
                          const CancelFlag& cancel) {
  check_address_space(options.merged.bundle);
  const Settings& settings = options.merged.chosen.settings;
  Callbacks callbacks;
  callbacks.warn = [&](const std::string& line) { messages.warn(line); };
  callbacks.progress = [&](const Progress& progress) { messages.progress(progress); };
  callbacks.cancel = &cancel;

  ReaderOptions reading = Engine::reader_options(settings, options.merged.bundle, {}, callbacks);
  reading.as_it_comes = false;  // its length is asked for
  FrameReader reader(options.subject, reading);
  VideoReport report{.path = options.subject,
                     .profile = options.merged.chosen.profile,
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
      cancel.check();
      PlannedFrame frame{
          .clip = clip.index, .shown = reader.shown_at(sample.time, rgb), .file = ""};
      if (is_beyond_end(report.info, sample.time, frame.shown)) continue;
      if (folder) frame.file = folder->add(frame.shown, rgb);
      report.frames.push_back(std::move(frame));
      messages.progress(
          {"inspecting", static_cast<int64_t>(report.frames.size()), total, "frames"});
    }
  }
  reader.finish();
  report.stats = reader.stats();
  report.frames_missing = reader.frames_missing();
  if (folder) folder->finish(frames_json(report.frames));
  return options.format == Format::json ? json_text(video_json(report)) : video_text(report);
}

}  // namespace

InspectOptions read_inspect(const Arguments& arguments, const Environment& environment,
                            Messages& messages) {
  InspectOptions options;
  options.format = format_of(arguments);
  options.print_config = arguments.has("--print-config");
  if (options.format != Format::text && options.format != Format::json) {
    throw InputError("inspect prints text or json, got --format " + to_text(options.format));
  }
  if (!arguments.operand && !options.print_config) {
    throw InputError("nothing to inspect; give a video or a bundle: moviechat inspect film.mp4");
  }
  options.subject = film_path(arguments.operand.value_or(""));
  options.frames_folder = arguments.value("--frames").value_or("");
  std::error_code ignored;
  options.is_bundle = fs::is_directory(options.subject, ignored);
  Arguments used = arguments;
  if (options.is_bundle) {
    if (!options.frames_folder.empty()) {
      throw InputError("--frames goes with a video, '" + options.subject + "' is a folder");
    }
    if (arguments.has("--model")) {
      throw InputError("--model goes with a video; the bundle to inspect is '" + options.subject +
                       "'");
    }
    used.given.push_back({find_flag("--model"), options.subject});
  }
  options.merged =
      merge_settings(used, environment, [&](const std::string& line) { messages.warn(line); });
  return options;
}

void run_inspect(const InspectOptions& options, Messages& messages, const CancelFlag& cancel) {
  Results results;
  if (options.print_config) {
    results.write(config_text(options.merged.chosen));
    return;
  }
  const std::string text = options.is_bundle ? inspect_bundle(options.merged, options.format)
                                             : inspect_video(options, messages, cancel);
  cancel.check();
  messages.clear_bar();
  results.write(text);
}

}  // namespace moviechat::cli
