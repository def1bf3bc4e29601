#include "base/json.h"

#include "report/report.h"

namespace moviechat::report {

using namespace score;  // what is reported

namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json, int indent) { return json_text(json, indent) + "\n"; }

Json json_of(const eval::CostReport& cost) {
  Json json = {{"videos", cost.videos},
               {"mean_seconds", cost.mean_seconds},
               {"peak_host_bytes", cost.peak_host_bytes},
               {"peak_device_bytes", cost.peak_device_bytes},
               {"stages", Json::object()}};
  for (const StageCost& stage : cost.stages) {
    json["stages"][stage.stage] = {{"mean_seconds", stage.seconds},
                                   {"peak_host_bytes", stage.peak_host_bytes},
                                   {"peak_device_bytes", stage.peak_device_bytes}};
  }
  return json;
}

Json json_of(const ScoredRun& run) {
  const Rows& rows = run.rows;
  Json json;
  json["path"] = run.run.file.string();
  json["sha256"] = run.run.sha256;
  json["videos"] = run.run.videos.size();
  json["videos_failed"] = rows.failed_videos;
  json["questions"] = rows.questions;
  json["questions_failed"] = rows.failed;
  json["questions_refused"] = rows.refused;
  json["questions_without_reference"] = rows.unreferenced;
  json["questions_scored"] = rows.rows.size();
  json["scores"] = Json::array();
  for (const GroupScores& group : run.groups) {
    Json scores = {{"by", group.by}, {"name", group.name}, {"questions", group.questions}};
    scores["metrics"] = Json::object();
    for (size_t i = 0; i < run.series.size(); ++i) {
      scores["metrics"][run.series[i].name] = group.estimates[i];
    }
    json["scores"].push_back(std::move(scores));
  }
  json["manifest"] = run.manifest;
  json["judge"] = run.judge;
  json["cost"] = run.cost ? json_of(*run.cost) : Json(nullptr);
  return json;
}

Json json_of(const Comparison& comparison) {
  Json json = {{"pairs", comparison.pairs}, {"left_out", comparison.left_out}};
  json["metrics"] = Json::object();
  for (const PairedScores& one : comparison.scores) {
    Json& scores = json["metrics"][one.name];
    scores = {{"first", one.first}, {"second", one.second}, {"difference", one.difference}};
    if (one.p) {
      scores["only_first"] = one.only_first;
      scores["only_second"] = one.only_second;
      scores["mcnemar_p"] = *one.p;
    }
  }
  return json;
}

}  // namespace

std::string report_json(const ScoreReport& report) {
  Json json;
  json["schema_version"] = 1;
  json["version"] = report.version;
  json["bootstrap"] = {{"resamples", report.bootstrap.resamples},
                       {"level", report.bootstrap.level},
                       {"seed", report.bootstrap.seed},
                       {"clustered_by", "video"}};
  json["runs"] = Json::array({json_of(report.first)});
  if (report.second) json["runs"].push_back(json_of(*report.second));
  json["comparison"] = report.comparison ? json_of(*report.comparison) : Json(nullptr);
  return text_of(json, 1);
}

std::string scores_jsonl(const ScoredRun& run) {
  std::string lines;
  for (size_t i = 0; i < run.rows.rows.size(); ++i) {
    const Row& row = run.rows.rows[i];
    Json json = {{"video", row.film->video},
                 {"id", row.result->id},
                 {"question", row.result->question},
                 {"reference", *row.result->reference},
                 {"answer", *row.result->answer}};
    for (const Series& series : run.series) json[series.name] = series.values[i];
    lines += text_of(json, -1);
  }
  return lines;
}

}  // namespace moviechat::report
