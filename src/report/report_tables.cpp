#include "report/report_tables.h"

#include <fmt/format.h>

#include "base/text.h"
#include "eval/manifest.h"

namespace moviechat::report {

using namespace score;  // what is reported

namespace {

std::string counted(int64_t count, const std::string& one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string number(double value, Scale scale) {
  return scale == Scale::points ? fmt::format("{:.2f}", value) : fmt::format("{:.1f}", 100 * value);
}

std::string signed_number(double value, Scale scale) {
  return scale == Scale::points ? fmt::format("{:+.2f}", value)
                                : fmt::format("{:+.1f}", 100 * value);
}

void add_run(const std::string& name, const ScoredRun& run, std::vector<Fact>& facts) {
  const Rows& rows = run.rows;
  std::string text = fmt::format("{}: {}, {}, {} scored", run.run.file.string(),
                                 counted(static_cast<int64_t>(run.run.videos.size()), "video"),
                                 counted(rows.questions, "question"), rows.rows.size());
  if (rows.failed_videos > 0) {
    text += fmt::format("; not scored: {} about {} that could not be read",
                        counted(rows.failed, "question"), counted(rows.failed_videos, "video"));
  }
  if (rows.refused > 0) {
    text +=
        fmt::format("; not scored: {} that could not be asked", counted(rows.refused, "question"));
  }
  if (rows.unreferenced > 0) {
    text += fmt::format("; {} without a right answer to compare with", rows.unreferenced);
  }
  facts.emplace_back(name, text);
}

void add_manifest(const std::string& which, const nlohmann::ordered_json& manifest,
                  std::vector<Fact>& facts) {
  const auto [model, data_set] = eval::to_text(manifest);
  facts.emplace_back(which + "model", model);
  facts.emplace_back(which + "data set", data_set);
}

void add_judge(const std::string& name, const judge::JudgeSummary& judge,
               std::vector<Fact>& facts) {
  facts.emplace_back(name,
                     fmt::format("{}, prompt {}", judge.model, judge.prompt_sha256.substr(0, 12)));
  std::string text = counted(judge.judged, "verdict");
  text += fmt::format(", {} malformed, {} without a reply (both kinds are left out of the scores)",
                      judge.malformed, judge.failed);
  if (judge.failed > 0) text += "; the first: " + judge.first_failure;
  facts.emplace_back("verdicts", text);
  text = fmt::format("{} prompt + {} completion tokens in {}{}; now: {}, of which {} retries",
                     judge.usage.prompt, judge.usage.completion, judge.replies,
                     judge.replies == 1 ? " reply" : " replies", counted(judge.requests, "request"),
                     judge.retries);
  if (judge.replies_without_usage > 0) {
    text += fmt::format("; {} did not say what they cost", judge.replies_without_usage);
  }
  facts.emplace_back("judge cost", text);
}

void add_cost(const std::string& name, const eval::CostReport& cost, std::vector<Fact>& facts) {
  std::string text = fmt::format(
      "{:.3f} s a video (mean of {}), peak memory {} host, {}", cost.mean_seconds, cost.videos,
      mebibytes(cost.peak_host_bytes),
      cost.peak_device_bytes ? mebibytes(*cost.peak_device_bytes) + " device" : "no device");
  facts.emplace_back(name, text);
  text.clear();
  for (const StageCost& stage : cost.stages) {
    text += fmt::format("{}{} {:.3f} s", text.empty() ? "" : ", ", stage.stage, stage.seconds);
    if (stage.peak_host_bytes) text += " " + mebibytes(*stage.peak_host_bytes);
    if (stage.peak_device_bytes) text += " + " + mebibytes(*stage.peak_device_bytes);
  }
  if (!text.empty()) facts.emplace_back("by stage", text);
}

Table score_table(const std::string& title, const ScoredRun& run) {
  Table table{.title = title, .header = {"", "questions"}, .rows = {}};
  for (const Series& series : run.series) table.header.push_back(series_title(series));
  for (const GroupScores& group : run.groups) {
    std::vector<std::string> row = {group_title(group), std::to_string(group.questions)};
    for (size_t i = 0; i < run.series.size(); ++i) {
      const Estimate& estimate = group.estimates[i];
      std::string cell = estimate_text(estimate, run.series[i].scale);
      // Where a metric applies to some of the questions only, of how many.
      if (estimate.count > 0 && estimate.count < group.questions) {
        cell += fmt::format(" of {}", estimate.count);
      }
      row.push_back(std::move(cell));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table comparison_table(const Comparison& comparison) {
  Table table{.title = "Second run against the first",
              .header = {"", "pairs", "first", "second", "difference", "only first right",
                         "only second right", "McNemar p"},
              .rows = {}};
  for (const PairedScores& one : comparison.scores) {
    const Estimate& difference = one.difference;
    std::string change = difference.count == 0 ? "-" : signed_number(difference.mean, one.scale);
    if (difference.interval) {
      change += fmt::format(" [{}, {}]", signed_number(difference.interval->low, one.scale),
                            signed_number(difference.interval->high, one.scale));
    }
    const bool counts = one.p.has_value();
    table.rows.push_back({one.name, std::to_string(difference.count),
                          estimate_text(one.first, one.scale), estimate_text(one.second, one.scale),
                          change, counts ? std::to_string(one.only_first) : "-",
                          counts ? std::to_string(one.only_second) : "-",
                          counts ? fmt::format("{:.2g}", *one.p) : "-"});
  }
  return table;
}

}  // namespace

std::string estimate_text(const Estimate& estimate, Scale scale) {
  if (estimate.count == 0) return "-";
  std::string text = number(estimate.mean, scale);
  if (const auto& interval = estimate.interval) {
    text += fmt::format(" [{}, {}]", number(interval->low, scale), number(interval->high, scale));
  }
  return text;
}

std::string group_title(const GroupScores& group) {
  return group.name.empty() ? group.by : fmt::format("{} {}", group.by, group.name);
}

std::string series_title(const Series& series) {
  return series.name + (series.scale == Scale::points ? " (0-5)" : " (%)");
}

std::vector<Fact> facts_of(const ScoreReport& report) {
  std::vector<Fact> facts;
  const auto add = [&](const ScoredRun& run, const std::string& which) {
    add_run(which + "predictions", run, facts);
    if (run.manifest) add_manifest(which, *run.manifest, facts);
    if (run.judge) add_judge(which + "judge", *run.judge, facts);
    if (run.cost) add_cost(which + "time", *run.cost, facts);
  };
  add(report.first, report.second ? "first " : "");
  if (report.second) add(*report.second, "second ");
  if (report.comparison) {
    facts.emplace_back("comparison", fmt::format("{} that both answered, {} left out",
                                                 counted(report.comparison->pairs, "question"),
                                                 report.comparison->left_out));
  }
  if (report.bootstrap.resamples > 0) {
    facts.emplace_back("intervals", fmt::format("{:.0f} % bootstrap, videos drawn whole, {}",
                                                100 * report.bootstrap.level,
                                                counted(report.bootstrap.resamples, "resample")));
  }
  return facts;
}

std::vector<Table> tables_of(const ScoreReport& report) {
  std::vector<Table> tables = {score_table(report.second ? "First run" : "Scores", report.first)};
  if (report.second) tables.push_back(score_table("Second run", *report.second));
  if (report.comparison) tables.push_back(comparison_table(*report.comparison));
  return tables;
}

}  // namespace moviechat::report
