#include "engine/result_json.h"

namespace moviechat {
namespace {
using Json = nlohmann::ordered_json;
}  // namespace

Json answer_json(const Answer& answer, bool evidence) {
  Json json;
  json["question"] = answer.question.text;
  json["mode"] = answer.at ? "breakpoint" : "global";
  json["at"] = answer.at ? Json(answer.at->count()) : Json(nullptr);
  json["answer"] = answer.text;
  json["token_ids"] = answer.token_ids;
  json["finish_reason"] = name_of(answer.finish_reason);
  json["prompt_tokens"] = answer.prompt_tokens;
  json["answer_tokens"] = answer.answer_tokens;
  if (!evidence) return json;
  json["evidence"] = answer.evidence;
  return json;
}

Json plan_json(const PlanOptions& options, const SamplingPlan& plan) {
  Json json;
  json["kind"] = name_of(plan.kind);
  json["clips"] = plan.clips.size();
  json["samples"] = plan.sample_count();
  if (plan.kind != PlanKind::uniform) json["window"] = options.window;
  if (plan.kind == PlanKind::fps) json["rate"] = options.rate;
  json["breakpoint"] = name_of(options.breakpoint);
  if (options.breakpoint == BreakpointRule::inference)
    json["c_denominator"] = options.c_denominator;
  return json;
}

Json report_json(const RunReport& report) {
  const RunResult& run = report.run;
  Json json;
  json["schema_version"] = 1;
  json["version"] = report.version;
  json["bundle"] = {{"name", report.bundle_name}, {"sha256", report.bundle_sha256}};
  json["video"] = {{"path", report.video},
                   {"duration", run.video.duration.count()},
                   {"fps", run.video.fps.value()},
                   {"frames", run.video.frames}};
  if (report.features) {
    json["features"] = {{"format", run.video.container},
                        {"dtype", run.video.codec},
                        {"times", name_of(*report.features)}};
  }
  json["profile"] = report.profile;
  json["plan"] = plan_json(report.settings.plan, run.plan);
  json["results"] = Json::array();
  for (const Answer& answer : run.answers) {
    json["results"].push_back(answer_json(answer, report.evidence));
  }
  json["counts"] = run.counts;
  json["seconds"] = Json::object();
  for (const StageCost& cost : run.stages) json["seconds"][cost.stage] = cost.seconds;
  json["peak_memory_bytes"] = report.peak_memory_bytes;
  json["seed"] = report.settings.generation.seed;
  return json;
}

}  // namespace moviechat
