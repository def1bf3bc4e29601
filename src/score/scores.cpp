#include "score/scores.h"

#include <array>
#include <map>
#include <utility>

#include "moviechat/error.h"

namespace moviechat::score {
namespace {

std::optional<double> number_of(std::optional<bool> right) {
  if (!right) return std::nullopt;
  return *right ? 1.0 : 0.0;
}

std::optional<double> value_of(Metric metric, const std::string& reference,
                               const std::string& answer) {
  switch (metric) {
    case Metric::exact:
      return number_of(exact_match(reference, answer));
    case Metric::contains:
      return number_of(contains(reference, answer));
    case Metric::yesno:
      return number_of(yes_no(reference, answer));
    case Metric::rouge_l:
      return rouge_l(reference, answer);
    case Metric::judge:
      break;
  }
  throw Error("the judge is no offline metric");
}

constexpr std::array kLengths = {std::pair{60.0, "under 1 min"}, std::pair{180.0, "1 to 3 min"},
                                 std::pair{600.0, "3 to 10 min"}, std::pair{1800.0, "10 to 30 min"},
                                 std::pair{3600.0, "30 min to 1 h"}};

/// Bin of a video's length: its place among the bins, and its name.
std::pair<std::string, std::string> length_of(const eval::Prediction& film) {
  if (!film.video_info || film.video_info->duration <= 0) return {"9", "unknown"};
  for (size_t i = 0; i < kLengths.size(); ++i) {
    if (film.video_info->duration < kLengths[i].first) {
      return {std::to_string(i), kLengths[i].second};
    }
  }
  return {"8", "1 h and more"};
}

/// Indices of rows by group; the key sorts the groups, and holds their names.
using Groups = std::map<std::pair<std::string, std::string>, std::vector<size_t>>;

template <class Name>
Groups grouped(const std::vector<Row>& rows, Name name) {
  Groups groups;
  for (size_t i = 0; i < rows.size(); ++i) groups[name(rows[i])].push_back(i);
  return groups;
}

GroupScores scores_of(const std::string& by, const std::string& name,
                      const std::vector<size_t>& places, const std::vector<Row>& rows,
                      const std::vector<Series>& series, const BootstrapOptions& options) {
  GroupScores group{
      .by = by, .name = name, .questions = static_cast<int64_t>(places.size()), .estimates = {}};
  for (const Series& one : series) {
    std::vector<Sample> samples;
    for (const size_t place : places) {
      if (const auto value = one.values[place]) samples.push_back({rows[place].video, *value});
    }
    group.estimates.push_back(estimate(samples, options));
  }
  return group;
}

}  // namespace

Series offline_series(const std::vector<Row>& rows, Metric metric) {
  Series series{.name = to_text(metric),
                .scale = metric == Metric::rouge_l ? Scale::part : Scale::right,
                .values = {}};
  for (const Row& row : rows) {
    series.values.push_back(value_of(metric, *row.result->reference, *row.result->answer));
  }
  return series;
}

std::vector<judge::JudgeQuestion> judge_questions(const std::vector<Row>& rows) {
  std::vector<judge::JudgeQuestion> questions;
  for (const Row& row : rows) {
    questions.push_back({row.result->question, *row.result->reference, *row.result->answer});
  }
  return questions;
}

std::vector<Series> judge_series(const std::vector<Row>& rows, const judge::Judgement& judgement) {
  const std::vector<judge::JudgeQuestion> questions = judge_questions(rows);
  Series right{.name = "judge", .scale = Scale::right, .values = {}};
  Series score{.name = "judge-score", .scale = Scale::points, .values = {}};
  Series released{.name = "judge-released", .scale = Scale::right, .values = {}};
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& verdict = judgement.answers.at(i).verdict;
    const auto counted =
        verdict ? judge::counted_as_released(questions[i], *verdict) : std::nullopt;
    right.values.push_back(verdict ? number_of(verdict->right) : std::nullopt);
    score.values.push_back(verdict ? std::optional(verdict->score) : std::nullopt);
    released.values.push_back(counted ? number_of(counted->right) : std::nullopt);
  }
  return {right, score, released};
}

std::vector<GroupScores> group_scores(const std::vector<Row>& rows,
                                      const std::vector<Series>& series,
                                      const BootstrapOptions& options) {
  const Groups all = grouped(rows, [](const Row&) { return std::pair("", ""); });
  const Groups modes = grouped(rows, [](const Row& row) {
    const bool moment = row.result->mode == eval::Mode::breakpoint;
    return std::pair(moment ? "1" : "0", moment ? "breakpoint" : "global");
  });
  const Groups categories = grouped(rows, [](const Row& row) {
    const auto& category = row.result->category;
    return category ? std::pair(*category, *category) : std::pair("\x7f", "none");
  });
  const Groups lengths = grouped(rows, [](const Row& row) { return length_of(*row.film); });

  std::vector<GroupScores> scores;
  const auto add = [&](const char* by, const Groups& groups, size_t fewest) {
    if (groups.size() < fewest) return;
    for (const auto& [name, places] : groups) {
      scores.push_back(scores_of(by, name.second, places, rows, series, options));
    }
  };
  add("all", all, 1);
  add("mode", modes, 1);
  add("category", categories, 2);
  add("length", lengths, 2);
  return scores;
}

}  // namespace moviechat::score
