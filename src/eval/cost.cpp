#include "eval/cost.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include "base/json.h"

#include "base/files.h"
#include "moviechat/error.h"

namespace moviechat::eval {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<int64_t>& bytes) { return bytes ? Json(*bytes) : Json(nullptr); }

/// Stage → seconds.
Json seconds_json(const std::vector<StageCost>& stages) {
  Json json = Json::object();
  for (const StageCost& cost : stages) json[cost.stage] = cost.seconds;
  return json;
}

using Peak = std::optional<int64_t> StageCost::*;

/// Stage → bytes, of the stages of which they are known.
Json peaks_json(const std::vector<StageCost>& stages, Peak peak) {
  Json json = Json::object();
  for (const StageCost& cost : stages) {
    if (cost.*peak) json[cost.stage] = *(cost.*peak);
  }
  return json;
}

/// The inverse of to_line; nullopt for what is no such line, as a disk may have left it.
std::optional<VideoCost> cost_of(std::string_view line) {
  const Json json = parse_json<Json>(line);
  try {
    VideoCost cost;
    cost.index = json.at("index").get<int64_t>();
    cost.watch_seconds = json.at("watch_seconds").get<double>();
    cost.answer_seconds = json.at("answer_seconds").get<double>();
    const Json& host = json.at("stage_peak_host_bytes");
    const Json& device = json.at("stage_peak_device_bytes");
    const auto peak = [](const Json& peaks, const std::string& stage) {
      return peaks.contains(stage) ? std::optional(peaks.at(stage).get<int64_t>()) : std::nullopt;
    };
    for (const auto& [stage, seconds] : json.at("stages").items()) {
      cost.stages.push_back({stage, seconds.get<double>(), peak(host, stage), peak(device, stage)});
    }
    cost.peak_host_bytes = json.at("peak_host_bytes").get<int64_t>();
    const Json& bytes = json.at("peak_device_bytes");
    if (!bytes.is_null()) cost.peak_device_bytes = bytes.get<int64_t>();
    return cost;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::string with_digits(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string mebibytes(int64_t bytes) {
  return with_digits(static_cast<double>(bytes) / (1 << 20), 0) + " MiB";
}

}  // namespace

std::string to_line(const VideoCost& cost) {
  Json json;
  json["index"] = cost.index;
  json["video"] = cost.video;
  json["questions"] = cost.questions;
  json["watch_seconds"] = cost.watch_seconds;
  json["answer_seconds"] = cost.answer_seconds;
  json["stages"] = seconds_json(cost.stages);
  json["peak_host_bytes"] = cost.peak_host_bytes;
  json["peak_device_bytes"] = or_null(cost.peak_device_bytes);
  json["stage_peak_host_bytes"] = peaks_json(cost.stages, &StageCost::peak_host_bytes);
  json["stage_peak_device_bytes"] = peaks_json(cost.stages, &StageCost::peak_device_bytes);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

VideoCost parse_cost(std::string_view line, const std::string& origin) {
  auto cost = cost_of(line);
  if (!cost) throw InputError(origin + " is not the cost of a video; give another --out");
  return *std::move(cost);
}

CostReport cost_report(const std::vector<std::string>& lines) {
  std::map<int64_t, VideoCost> last_of;
  for (const std::string& line : lines) {
    if (auto cost = cost_of(line)) last_of[cost->index] = *std::move(cost);
  }
  CostReport report;
  report.videos = std::ssize(last_of);
  const auto count = static_cast<double>(report.videos);
  StageCosts stages;
  for (const auto& [index, cost] : last_of) {
    report.mean_seconds += (cost.watch_seconds + cost.answer_seconds) / count;
    for (StageCost stage : cost.stages) {
      stage.seconds /= count;
      stages.add(stage);
    }
    report.peak_host_bytes = std::max(report.peak_host_bytes, cost.peak_host_bytes);
    report.peak_device_bytes = std::max(report.peak_device_bytes, cost.peak_device_bytes);
  }
  report.stages = stages.stages();
  return report;
}

void write_cost(const std::filesystem::path& folder, const CostReport& report) {
  Json json;
  json["videos"] = report.videos;
  json["mean_seconds_per_video"] = report.mean_seconds;
  json["mean_seconds_per_stage"] = seconds_json(report.stages);
  json["peak_host_bytes"] = report.peak_host_bytes;
  json["peak_device_bytes"] = or_null(report.peak_device_bytes);
  json["peak_host_bytes_per_stage"] = peaks_json(report.stages, &StageCost::peak_host_bytes);
  json["peak_device_bytes_per_stage"] = peaks_json(report.stages, &StageCost::peak_device_bytes);
  write_file(folder / "cost.json", json.dump(2) + "\n");
}

std::string to_text(const CostReport& report) {
  if (report.videos == 0) return "";
  std::string seconds;
  std::string host;
  std::string device;
  const auto add = [](std::string& list, const std::string& stage, const std::string& value) {
    list += (list.empty() ? "" : ", ") + stage + " " + value;
  };
  for (const StageCost& cost : report.stages) {
    add(seconds, cost.stage, with_digits(cost.seconds, 3));
    if (cost.peak_host_bytes) add(host, cost.stage, mebibytes(*cost.peak_host_bytes));
    if (cost.peak_device_bytes) add(device, cost.stage, mebibytes(*cost.peak_device_bytes));
  }
  std::string text = "seconds a video: " + with_digits(report.mean_seconds, 3) + " (" + seconds +
                     ")\npeak memory: " + mebibytes(report.peak_host_bytes) + " (" + host + ")\n";
  if (report.peak_device_bytes) {
    text += "peak device memory: " + mebibytes(*report.peak_device_bytes) + " (" + device + ")\n";
  }
  return text;
}

}  // namespace moviechat::eval
