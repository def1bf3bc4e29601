#include "eval/cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include "base/json.h"
#include "base/stage_costs.h"

#include "base/files.h"
#include "base/text.h"
#include "moviechat/error.h"

namespace moviechat::eval {

template <class Json, class Value>
void to_json(Json& json, const StageFigures<Value>& figures) {
  json = Json::object();
  for (const StageCost& cost : figures.stages) {
    const Json value = cost.*figures.figure;
    if (!value.is_null()) json[cost.stage] = value;
  }
}

template <class Json, class Value>
void from_json(const Json& json, StageFigures<Value>& figures) {
  for (const auto& [stage, value] : json.items()) {
    auto cost = std::find_if(figures.stages.begin(), figures.stages.end(),
                             [&](const StageCost& known) { return known.stage == stage; });
    if (cost == figures.stages.end()) {
      cost = figures.stages.insert(cost, StageCost{stage, 0, {}, {}});
    }
    Value& figure = (*cost).*figures.figure;
    if constexpr (std::is_same_v<Value, double>) {
      value.get_to(figure);
    } else {
      figure = value.template get<typename Value::value_type>();
    }
  }
}

namespace {

using Json = nlohmann::ordered_json;

/// The inverse of to_line; nullopt for what is no such line, as a disk may have left it.
std::optional<VideoCost> cost_of(std::string_view line) {
  const Json json = parse_json<Json>(line);
  try {
    return json.get<VideoCost>();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string to_line(const VideoCost& cost) { return json_text(Json(cost)); }

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
  write_file(folder / "cost.json", Json(report).dump(2) + "\n");
}

std::string to_text(const CostReport& report) {
  if (report.videos == 0) return "";
  std::string seconds;
  std::string host;
  std::string device;
  const auto add = [](std::string& list, const std::string& stage, const std::string& value) {
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", stage, value);
  };
  for (const StageCost& cost : report.stages) {
    add(seconds, cost.stage, fmt::format("{:.3f}", cost.seconds));
    if (cost.peak_host_bytes) add(host, cost.stage, mebibytes(*cost.peak_host_bytes));
    if (cost.peak_device_bytes) add(device, cost.stage, mebibytes(*cost.peak_device_bytes));
  }
  std::string text =
      fmt::format("seconds a video: {:.3f} ({})\npeak memory: {} ({})\n", report.mean_seconds,
                  seconds, mebibytes(report.peak_host_bytes), host);
  if (report.peak_device_bytes) {
    text +=
        fmt::format("peak device memory: {} ({})\n", mebibytes(*report.peak_device_bytes), device);
  }
  return text;
}

}  // namespace moviechat::eval
