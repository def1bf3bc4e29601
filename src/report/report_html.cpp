#include <cmath>

#include "base/json.h"
#include "base/text.h"
#include "report/page.h"
#include "report/report_tables.h"

namespace moviechat::report {

using namespace score;  // what is reported

namespace {

using Json = nlohmann::ordered_json;

/// Histogram of a judge's scores 0 to 5; null without a judge.
Json score_counts(const ScoredRun& run) {
  for (const Series& series : run.series) {
    if (series.scale != Scale::points) continue;
    std::vector<int64_t> counts(6);
    for (const auto& value : series.values) {
      if (value) ++counts.at(static_cast<size_t>(std::lround(*value)));
    }
    return counts;
  }
  return nullptr;
}

/// The answers of a second run to the questions of the first, and whether each is right.
class SecondRun {
 public:
  explicit SecondRun(const ScoreReport& report) {
    if (!report.second) return;
    const ScoredRun& run = *report.second;
    std::map<const eval::Result*, Json> right;
    if (const Series* series = deciding_series(run)) {
      for (size_t i = 0; i < run.rows.rows.size(); ++i) {
        if (series->values[i]) right[run.rows.rows[i].result] = *series->values[i] >= 0.5;
      }
    }
    // The same questions in the same order, as compare() made sure.
    const std::vector<Row> first = questions_of(report.first.run);
    const std::vector<Row> second = questions_of(run.run);
    for (size_t i = 0; i < first.size(); ++i) {
      const auto& answer = second.at(i).result->answer;
      answers_[first[i].result] = {{"answer", answer}, {"right", right[second[i].result]}};
    }
  }

  /// null without a second run.
  Json answer_to(const eval::Result& result) { return answers_[&result]; }

 private:
  std::map<const eval::Result*, Json> answers_;
};

Json pictures_of(const eval::Result& result, const Thumbnails& thumbnails) {
  Json pictures = Json::array();
  const auto found = thumbnails.find(&result);
  if (found == thumbnails.end()) return pictures;
  for (const Picture& picture : found->second) {
    if (picture.jpeg.empty()) continue;
    pictures.push_back({{"at", picture.at}, {"jpeg", in_base64(picture.jpeg)}});
  }
  return pictures;
}

Json wrong_answers(const ScoreReport& report, const Thumbnails& thumbnails) {
  Json wrong = Json::array();
  SecondRun second(report);
  for (const Row& row : wrong_rows(report.first)) {
    const eval::Result& result = *row.result;
    wrong.push_back({{"video", row.film->video},
                     {"category", result.category},
                     {"mode", result.mode},
                     {"at", result.at},
                     {"question", result.question},
                     {"reference", *result.reference},
                     {"answer", *result.answer},
                     {"second", second.answer_to(result)},
                     {"pictures", pictures_of(result, thumbnails)}});
  }
  return wrong;
}

/// Data of the page, which its script draws.
Json page_data(const ScoreReport& report, const Thumbnails& thumbnails) {
  Json page;
  page["report"] = Json::parse(report_json(report));
  page["facts"] = facts_of(report);
  for (const Table& table : tables_of(report)) {
    page["tables"].push_back(
        {{"title", table.title}, {"header", table.header}, {"rows", table.rows}});
  }
  page["metrics"] = Json::array();
  for (const Series& series : report.first.series) {
    page["metrics"].push_back({{"name", series.name},
                               {"title", series_title(series)},
                               {"best", series.scale == Scale::points ? 5 : 1}});
  }
  page["histograms"] = Json::array({score_counts(report.first)});
  if (report.second) page["histograms"].push_back(score_counts(*report.second));
  const Series* deciding = deciding_series(report.first);
  page["decided_by"] = deciding != nullptr ? Json(deciding->name) : Json();
  page["pictures"] = !thumbnails.empty();
  page["wrong"] = wrong_answers(report, thumbnails);
  return page;
}

}  // namespace

const Series* deciding_series(const ScoredRun& run) {
  const Series* first = nullptr;
  for (const Series& series : run.series) {
    if (series.name == to_text(Metric::judge)) return &series;
    if (series.scale == Scale::right && first == nullptr) first = &series;
  }
  return first;
}

std::vector<Row> wrong_rows(const ScoredRun& run) {
  std::vector<Row> wrong;
  const Series* series = deciding_series(run);
  for (size_t i = 0; series != nullptr && i < run.rows.rows.size(); ++i) {
    if (series->values[i] == 0.0) wrong.push_back(run.rows.rows[i]);
  }
  return wrong;
}

std::string report_html(const ScoreReport& report, const Thumbnails& thumbnails) {
  const std::string data =
      page_data(report, thumbnails)
          .dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
  std::string
      escaped;  // no "</script>" or "<!--" in an answer ends the element that holds the data
  for (const char c : data) c == '<' ? escaped += "\\u003c" : escaped += c;
  std::string page(kPage);
  constexpr std::string_view kPlace = "REPORT_DATA";
  return page.replace(page.find(kPlace), kPlace.size(), escaped);
}

}  // namespace moviechat::report
