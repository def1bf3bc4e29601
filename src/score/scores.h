#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>
#include "base/json.h"

#include "eval/cost.h"
#include "judge/judge.h"
#include "score/metrics.h"
#include "score/run.h"
#include "score/statistics.h"

namespace moviechat::score {

/// Kind of the values of a series.
enum class Scale {
  right,   // 1 right, 0 wrong; printed in percent
  part,    // 0 to 1; printed in percent
  points,  // a judge's 0 to 5
};

/// Values of one metric for the rows of a run.
struct Series {
  std::string name;
  Scale scale = Scale::right;
  std::vector<std::optional<double>> values;  // of each row; nullopt: it does not apply
};

/// Series of a metric that needs no judge.
Series offline_series(const std::vector<Row>& rows, Metric metric);
/// Series of a judge's verdicts: "judge" (right or wrong), "judge-score", and "judge-released"
/// (right or wrong as the authors' script counts verdicts). A row without a verdict has no value.
std::vector<Series> judge_series(const std::vector<Row>& rows, const judge::Judgement& judgement);
/// Questions to a judge about rows.
std::vector<judge::JudgeQuestion> judge_questions(const std::vector<Row>& rows);

/// Scores of a group of rows: all, one mode, one category, or one length of video.
struct GroupScores {
  std::string by;    // "all", "mode", "category" or "length"
  std::string name;  // "" of all
  int64_t questions = 0;
  std::vector<Estimate> estimates;  // of each series
};

/// Groups of rows with their scores: all and modes always, categories and lengths where there are
/// several.
std::vector<GroupScores> group_scores(const std::vector<Row>& rows,
                                      const std::vector<Series>& series,
                                      const BootstrapOptions& options);

/// Run with its scores. Rows point into the run, so that it is moved and never copied.
struct ScoredRun {
  Run run;
  Rows rows;
  std::vector<Series> series;
  std::vector<GroupScores> groups;
  std::optional<judge::JudgeSummary> judge;
  std::optional<nlohmann::ordered_json> manifest;  // that lay beside it
  std::optional<eval::CostReport> cost;

  ScoredRun() = default;
  ScoredRun(ScoredRun&&) = default;
  ScoredRun& operator=(ScoredRun&&) = default;
};

/// Metric of two runs, over the rows where both have a value.
struct PairedScores {
  std::string name;
  Scale scale = Scale::right;
  Estimate first = {};
  Estimate second = {};
  Estimate difference = {};      // second - first
  int64_t only_first = 0;        // of Scale::right: right in the first run alone
  int64_t only_second = 0;       // and in the second alone
  std::optional<double> p = {};  // of Scale::right: McNemar's
};

/// Comparison of two runs over the same questions.
struct Comparison {
  std::vector<PairedScores> scores;
  int64_t pairs = 0;     // questions that both runs answered
  int64_t left_out = 0;  // questions that one of them, or both, could not
};

/// Check that two runs have the same questions and right answers; InputError otherwise.
void check_same_questions(const Run& first, const Run& second);

/// Comparison of two runs; InputError as of check_same_questions().
Comparison compare(const ScoredRun& first, const ScoredRun& second,
                   const BootstrapOptions& options);

}  // namespace moviechat::score
