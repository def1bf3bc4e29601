
#include <map>

#include "base/message.h"
#include "score/scores.h"

namespace moviechat::score {
namespace {

bool same_question(const Row& a, const Row& b) {
  return a.film->video == b.film->video && a.result->mode == b.result->mode &&
         a.result->question == b.result->question && a.result->reference == b.result->reference;
}

std::string described(const std::vector<Row>& asked, size_t place) {
  if (place >= asked.size()) return "nothing more";
  const Row& one = asked[place];
  return fmt::format(
      "'{}' of '{}' (right: {})", one.result->question, one.film->video,
      one.result->reference ? fmt::format("'{}'", *one.result->reference) : "unknown");
}

std::map<const eval::Result*, size_t> places(const std::vector<Row>& rows) {
  std::map<const eval::Result*, size_t> place_of;
  for (size_t i = 0; i < rows.size(); ++i) place_of[rows[i].result] = i;
  return place_of;
}

/// Indices of the rows that answer the same question in both runs.
struct Pair {
  size_t first;
  size_t second;
};

PairedScores paired(const Series& first, const Series& second, const std::vector<Pair>& pairs,
                    const std::vector<Row>& rows, const BootstrapOptions& options) {
  PairedScores scores{.name = first.name, .scale = first.scale};
  std::vector<Sample> of_first;
  std::vector<Sample> of_second;
  std::vector<Sample> differences;
  for (const Pair& pair : pairs) {
    const auto a = first.values[pair.first];
    const auto b = second.values[pair.second];
    if (!a || !b) continue;
    const int64_t video = rows[pair.first].video;
    of_first.push_back({video, *a});
    of_second.push_back({video, *b});
    differences.push_back({video, *b - *a});
    if (*a > *b) ++scores.only_first;
    if (*b > *a) ++scores.only_second;
  }
  scores.first = estimate(of_first, options);
  scores.second = estimate(of_second, options);
  scores.difference = estimate(differences, options);
  if (first.scale == Scale::right) scores.p = mcnemar(scores.only_first, scores.only_second);
  return scores;
}

}  // namespace

void check_same_questions(const Run& first_run, const Run& second_run) {
  const std::vector<Row> first = questions_of(first_run);
  const std::vector<Row> second = questions_of(second_run);
  for (size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size() && i < second.size() && same_question(first[i], second[i])) continue;
    throw input_error(
        "the two runs have different questions: number {} is {} in the first, {} in "
        "the second; compare runs over the same annotations",
        i + 1, described(first, i), described(second, i));
  }
}

Comparison compare(const ScoredRun& first, const ScoredRun& second,
                   const BootstrapOptions& options) {
  const std::vector<Row> asked = questions_of(first.run);
  const std::vector<Row> asked_second = questions_of(second.run);
  check_same_questions(first.run, second.run);

  const auto place_in_first = places(first.rows.rows);
  const auto place_in_second = places(second.rows.rows);
  Comparison result;
  std::vector<Pair> pairs;
  for (size_t i = 0; i < asked.size(); ++i) {
    const auto a = place_in_first.find(asked[i].result);
    const auto b = place_in_second.find(asked_second[i].result);
    if (a != place_in_first.end() && b != place_in_second.end()) {
      pairs.push_back({a->second, b->second});
    } else if (asked[i].result->reference) {
      ++result.left_out;
    }
  }
  result.pairs = static_cast<int64_t>(pairs.size());
  for (size_t i = 0; i < first.series.size(); ++i) {
    result.scores.push_back(
        paired(first.series[i], second.series.at(i), pairs, first.rows.rows, options));
  }
  return result;
}

}  // namespace moviechat::score
