#include "moviechat/eval/cost.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "moviechat/support/files.h"

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

/// The peaks of a line, where it has them.
void take_peaks(const Json& line, const std::string& key, Peak peak, StageCosts& stages) {
  const Json peaks = line.value(key, Json::object());
  for (const auto& [stage, bytes] : peaks.items()) {
    StageCost cost{stage, 0, {}, {}};
    cost.*peak = bytes.get<int64_t>();
    stages.add(cost);
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

CostReport cost_report(const std::vector<std::string>& lines) {
  std::map<int64_t, Json> last_of;
  for (const std::string& line : lines) {
    Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("index")) continue;
    const auto index = json["index"].get<int64_t>();
    last_of[index] = std::move(json);
  }
  CostReport report;
  report.videos = std::ssize(last_of);
  if (last_of.empty()) return report;
  const auto count = static_cast<double>(report.videos);
  StageCosts stages;
  for (const auto& [index, json] : last_of) {
    report.mean_seconds +=
        (json.value("watch_seconds", 0.0) + json.value("answer_seconds", 0.0)) / count;
    const Json spent = json.value("stages", Json::object());
    for (const auto& [stage, seconds] : spent.items()) {
      stages.add({stage, seconds.get<double>() / count, {}, {}});
    }
    take_peaks(json, "stage_peak_host_bytes", &StageCost::peak_host_bytes, stages);
    take_peaks(json, "stage_peak_device_bytes", &StageCost::peak_device_bytes, stages);
    report.peak_host_bytes =
        std::max(report.peak_host_bytes, json.value("peak_host_bytes", int64_t{0}));
    if (const Json device = json.value("peak_device_bytes", Json()); device.is_number()) {
      report.peak_device_bytes =
          std::max(report.peak_device_bytes.value_or(0), device.get<int64_t>());
    }
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
