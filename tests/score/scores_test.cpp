#include "score/scores.h"

#include <gmock/gmock.h>

#include "moviechat/error.h"
#include "score/runs.h"

namespace moviechat::score {
namespace {

using testing::answer;
using testing::at;
using testing::film;
using ::testing::HasSubstr;

ScoredRun scored(std::vector<eval::Prediction> films) {
  ScoredRun run;
  run.run.videos = std::move(films);
  run.rows = rows_of(run.run);
  for (const Metric metric : {Metric::exact, Metric::yesno, Metric::rouge_l}) {
    run.series.push_back(offline_series(run.rows.rows, metric));
  }
  run.groups = group_scores(run.rows.rows, run.series, {});
  return run;
}

const GroupScores& group(const ScoredRun& run, const std::string& by, const std::string& name) {
  for (const GroupScores& one : run.groups) {
    if (one.by == by && one.name == name) return one;
  }
  throw Error("no group " + by + " " + name);
}

std::vector<eval::Prediction> three_films() {
  return {film(0, "1.mp4", 30,
               {answer("Q1", "yes", "Yes."), at(answer("Q2", "red", "blue"), 3, "colour")}),
          film(1, "2.mp4", 90,
               {answer("Q1", "no", "yes"), at(answer("Q2", "a red star", "red star"), 4, "thing")}),
          film(2, "3.mp4", 4000, {at(answer("Q2", "red", "red"), 5, "colour")})};
}

TEST(Scores, AreOfAllModesCategoriesAndLengths) {
  const ScoredRun run = scored(three_films());
  const auto exact = [&](const std::string& by, const std::string& name) {
    return group(run, by, name).estimates[0];
  };
  EXPECT_NEAR(exact("all", "").mean, 3.0 / 5, 1e-12);
  EXPECT_EQ(exact("all", "").clusters, 3);
  EXPECT_NEAR(exact("mode", "global").mean, 1.0 / 2, 1e-12);
  EXPECT_NEAR(exact("mode", "breakpoint").mean, 2.0 / 3, 1e-12);
  EXPECT_NEAR(exact("category", "colour").mean, 1.0 / 2, 1e-12);
  EXPECT_EQ(exact("category", "none").count, 2);
  EXPECT_NEAR(exact("length", "under 1 min").mean, 1.0 / 2, 1e-12);
  EXPECT_NEAR(exact("length", "1 to 3 min").mean, 1.0 / 2, 1e-12);
  EXPECT_NEAR(exact("length", "1 h and more").mean, 1, 1e-12);
  EXPECT_FALSE(exact("length", "1 h and more").interval);  // one video
  EXPECT_EQ(group(run, "length", "1 to 3 min").questions, 2);
}

TEST(Scores, OfYesAndNoAreOfThoseQuestionsAlone) {
  const ScoredRun run = scored(three_films());
  const Estimate all = group(run, "all", "").estimates[1];
  EXPECT_EQ(all.count, 2);
  EXPECT_NEAR(all.mean, 0.5, 1e-12);
  EXPECT_EQ(group(run, "mode", "breakpoint").estimates[1].count, 0);
}

TEST(Scores, OfAJudgeLeaveOutWhereThereIsNoVerdict) {
  const ScoredRun run = scored(three_films());
  judge::Judgement judgement;
  judgement.answers.resize(5);
  judgement.answers[0].verdict = {true, 5};
  judgement.answers[1].verdict = {false, 4};  // what the authors' script leaves out
  judgement.answers[2].malformed = true;
  judgement.answers[3].failure = "does not answer";
  judgement.answers[4].verdict = {true, 3};
  const auto series = judge_series(run.rows.rows, judgement);
  const auto all = group_scores(run.rows.rows, series, {}).at(0).estimates;
  EXPECT_EQ(all[0].count, 3);
  EXPECT_NEAR(all[0].mean, 2.0 / 3, 1e-12);
  EXPECT_NEAR(all[1].mean, 4.0, 1e-12);
  EXPECT_EQ(all[2].count, 2);
  EXPECT_NEAR(all[2].mean, 1, 1e-12);
}

TEST(Comparison, CountsWhatOneRunAloneHasRight) {
  auto changed = three_films();
  changed[0].results[1].answer = "red";    // now right
  changed[1].results[1].answer = "green";  // now wrong
  changed[2].results[0].answer = "green";  // now wrong
  const ScoredRun first = scored(three_films());
  const ScoredRun second = scored(std::move(changed));
  const Comparison comparison = compare(first, second, {});
  EXPECT_EQ(comparison.pairs, 5);
  EXPECT_EQ(comparison.left_out, 0);
  const PairedScores& exact = comparison.scores[0];
  EXPECT_EQ(exact.only_first, 2);
  EXPECT_EQ(exact.only_second, 1);
  EXPECT_NEAR(*exact.p, 1.0, 1e-12);
  EXPECT_NEAR(exact.difference.mean, -1.0 / 5, 1e-12);
  EXPECT_NEAR(exact.second.mean - exact.first.mean, exact.difference.mean, 1e-12);
  EXPECT_FALSE(comparison.scores[2].p);  // ROUGE-L is neither right nor wrong
}

TEST(Comparison, LeavesOutWhatOneRunCouldNotAnswer) {
  auto broken = three_films();
  broken[1].error = "torn file";
  for (auto& result : broken[1].results) result.answer.reset();
  const ScoredRun first = scored(three_films());
  const ScoredRun second = scored(std::move(broken));
  const Comparison comparison = compare(first, second, {});
  EXPECT_EQ(comparison.pairs, 3);
  EXPECT_EQ(comparison.left_out, 2);
  EXPECT_NEAR(comparison.scores[0].first.mean, 2.0 / 3, 1e-12);
}

TEST(Comparison, OfDifferentQuestionsIsRefused) {
  const auto refused = [](auto change) {
    auto films = three_films();
    change(films);
    const ScoredRun first = scored(three_films());
    const ScoredRun second = scored(std::move(films));
    try {
      compare(first, second, {});
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refused([](auto& films) { films[1].results[0].question = "Q9"; }),
              HasSubstr("number 3 is 'Q1' of '2.mp4' (right: 'no') in the first, 'Q9' of"));
  EXPECT_THAT(refused([](auto& films) { films[1].results[0].reference = "yes"; }),
              HasSubstr("number 3"));
  EXPECT_THAT(refused([](auto& films) { films.pop_back(); }), HasSubstr("nothing more"));
  EXPECT_THAT(refused([](auto& films) { films[2].video = "4.mp4"; }), HasSubstr("number 5"));
  EXPECT_EQ(refused([](auto& /*films*/) {}), "accepted");
}

}  // namespace
}  // namespace moviechat::score
