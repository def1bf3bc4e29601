#include <array>
#include <cstdio>

#include "report/html.h"
#include "report/plots.h"
#include "report/report_tables.h"

namespace moviechat::judge {
namespace {

std::string element(const std::string& name, const std::string& text) {
  return "<" + name + ">" + escaped(text) + "</" + name + ">";
}

std::string facts_html(const std::vector<Fact>& facts) {
  std::string html = "<table>\n";
  for (const auto& [name, value] : facts) {
    html += "<tr>" + element("th", name) + element("td", value) + "</tr>\n";
  }
  return html + "</table>\n";
}

std::string table_html(const Table& table) {
  std::string html =
      element("h2", table.title) + "\n<div class=\"wide\"><table class=\"numbers\">\n";
  const auto line = [&](const std::vector<std::string>& row, const std::string& cell) {
    html += "<tr>";
    for (const std::string& text : row) html += element(cell, text);
    html += "</tr>\n";
  };
  line(table.header, "th");
  for (const auto& row : table.rows) line(row, "td");
  return html + "</table></div>\n";
}

std::string clock(double seconds) {
  const auto tenths = static_cast<long long>(seconds * 10 + 0.5);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%lld:%02lld.%lld", tenths / 600, tenths / 10 % 60,
                tenths % 10);
  return text.data();
}

std::string said(const std::string& label, const std::string& text, const std::string& kind) {
  return "<p><span class=\"label\">" + escaped(label) + "</span> <span class=\"" + kind + "\">" +
         escaped(text) + "</span></p>\n";
}

std::string pictures_html(const eval::Result& result, const Thumbnails& thumbnails) {
  const auto found = thumbnails.find(&result);
  if (found == thumbnails.end()) return "";
  std::string figures;
  for (const Picture& picture : found->second) {
    if (picture.jpeg.empty()) continue;
    const bool asked = result.at == picture.at;
    figures += "<figure><img alt=\"\" src=\"" + jpeg_address(picture.jpeg) + "\"><figcaption>" +
               clock(picture.at) + (asked ? ", the moment asked about" : ", evidence") +
               "</figcaption></figure>\n";
  }
  return figures.empty() ? "" : "<div class=\"pictures\">\n" + figures + "</div>\n";
}

/// What the second run says to a question of the first.
class SecondRun {
 public:
  explicit SecondRun(const ScoreReport& report) {
    if (!report.second) return;
    const ScoredRun& run = *report.second;
    const Series* series = deciding_series(run);
    std::map<const eval::Result*, std::optional<double>> value_of;
    for (size_t i = 0; series != nullptr && i < run.rows.rows.size(); ++i) {
      value_of[run.rows.rows[i].result] = series->values[i];
    }
    // The same questions in the same order, as compare() made sure.
    std::vector<const eval::Result*> results;
    for (const eval::Prediction& film : run.run.videos) {
      for (const eval::Result& result : film.results) results.push_back(&result);
    }
    size_t place = 0;
    for (const eval::Prediction& film : report.first.run.videos) {
      for (const eval::Result& result : film.results) {
        const eval::Result* other = results.at(place++);
        const auto value = value_of.find(other);
        answers_[&result] = {other, value == value_of.end() ? std::nullopt : value->second};
      }
    }
  }

  std::string html(const eval::Result& result) const {
    const auto found = answers_.find(&result);
    if (found == answers_.end()) return "";
    const auto& [other, value] = found->second;
    const std::string kind = !value ? "" : *value >= 0.5 ? "is-right" : "is-wrong";
    return said("second run", other->answer.value_or("(no answer)"), kind);
  }

 private:
  std::map<const eval::Result*, std::pair<const eval::Result*, std::optional<double>>> answers_;
};

std::string wrong_html(const Row& row, const SecondRun& second, const Thumbnails& thumbnails) {
  const eval::Result& result = *row.result;
  std::string head = row.film->video;
  if (result.category) head += " · " + *result.category;
  if (result.at) {
    head += " · at " + clock(*result.at);
  } else {
    head += " · " + to_text(result.mode);
  }
  return "<article>" + element("h3", head) + "\n<p class=\"q\">" + escaped(result.question) +
         "</p>\n" + said("right answer", *result.reference, "") +
         said("answered", *result.answer, "is-wrong") + second.html(result) +
         pictures_html(result, thumbnails) + "</article>\n";
}

std::string wrongs_html(const ScoreReport& report, const Thumbnails& thumbnails) {
  const Series* deciding = deciding_series(report.first);
  if (deciding == nullptr) return "";
  const std::vector<Row> wrong = wrong_rows(report.first);
  std::string html =
      element("h2", "Wrong answers" + std::string(report.second ? " of the first run" : "") + ": " +
                        std::to_string(wrong.size()) + ", by " + deciding->name);
  if (thumbnails.empty() && !wrong.empty()) {
    html +=
        "<p>Without pictures: they need the videos (--videos DIR), and moments or evidence in "
        "the predictions (moviechat eval --evidence).</p>\n";
  }
  const SecondRun second(report);
  for (const Row& row : wrong) html += wrong_html(row, second, thumbnails);
  return html;
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
  const std::string title = report.second ? "Two runs compared" : "Scores";
  std::string body = element("h1", title) + "\n" + facts_html(facts_of(report));
  for (const Table& table : tables_of(report)) body += table_html(table);
  body += "<h2>Plots</h2>\n" + plots_html(report) + wrongs_html(report, thumbnails);
  body += "<p class=\"label\">moviechat " + escaped(report.version) + "</p>\n";
  return html_page("moviechat: " + title, body);
}

}  // namespace moviechat::judge
