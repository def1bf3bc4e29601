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
  json["stages"] = Json::object();
  for (const auto& [stage, seconds] : cost.stages) json["stages"][stage] = seconds;
  json["peak_host_bytes"] = cost.peak_host_bytes;
  json["peak_device_bytes"] = or_null(cost.peak_device_bytes);
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
  for (const auto& [index, json] : last_of) {
    report.mean_seconds +=
        (json.value("watch_seconds", 0.0) + json.value("answer_seconds", 0.0)) / count;
    const Json stages = json.value("stages", Json::object());
    for (const auto& [stage, seconds] : stages.items()) {
      auto known = std::find_if(report.mean_stages.begin(), report.mean_stages.end(),
                                [&, &name = stage](const auto& one) { return one.first == name; });
      if (known == report.mean_stages.end()) {
        known = report.mean_stages.insert(report.mean_stages.end(), {stage, 0.0});
      }
      known->second += seconds.get<double>() / count;
    }
    report.peak_host_bytes =
        std::max(report.peak_host_bytes, json.value("peak_host_bytes", int64_t{0}));
    if (const Json device = json.value("peak_device_bytes", Json()); device.is_number()) {
      report.peak_device_bytes =
          std::max(report.peak_device_bytes.value_or(0), device.get<int64_t>());
    }
  }
  return report;
}

void write_cost(const std::filesystem::path& folder, const CostReport& report) {
  Json json;
  json["videos"] = report.videos;
  json["mean_seconds_per_video"] = report.mean_seconds;
  json["mean_seconds_per_stage"] = Json::object();
  for (const auto& [stage, seconds] : report.mean_stages) {
    json["mean_seconds_per_stage"][stage] = seconds;
  }
  json["peak_host_bytes"] = report.peak_host_bytes;
  json["peak_device_bytes"] = or_null(report.peak_device_bytes);
  write_file(folder / "cost.json", json.dump(2) + "\n");
}

std::string to_text(const CostReport& report) {
  if (report.videos == 0) return "";
  std::string stages;
  for (const auto& [stage, seconds] : report.mean_stages) {
    stages += (stages.empty() ? "" : ", ") + stage + " " + with_digits(seconds, 3);
  }
  std::string text = "seconds a video: " + with_digits(report.mean_seconds, 3) + " (" + stages +
                     ")\npeak memory: host " + mebibytes(report.peak_host_bytes);
  if (report.peak_device_bytes) text += ", device " + mebibytes(*report.peak_device_bytes);
  return text + "\n";
}

}  // namespace moviechat::eval
