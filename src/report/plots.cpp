#include "report/plots.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "report/html.h"
#include "report/report_tables.h"

namespace moviechat::judge {
namespace {

constexpr double kWidth = 260;  // of the scale, in px
constexpr double kMargin = 14;

std::string pixels(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

double place_of(double value, Scale scale) {
  return kMargin + kWidth * value / (scale == Scale::points ? 5 : 1);
}

std::string line(double x1, double y1, double x2, double y2, const std::string& kind) {
  return "<line x1=\"" + pixels(x1) + "\" y1=\"" + pixels(y1) + "\" x2=\"" + pixels(x2) +
         "\" y2=\"" + pixels(y2) + "\" class=\"" + kind + "\" stroke-width=\"" +
         (kind == "axis" ? "1" : "2.5") + "\"/>";
}

std::string svg(double height, const std::string& content) {
  return "<svg width=\"" + pixels(kWidth + 2 * kMargin) + "\" height=\"" + pixels(height) + "\">" +
         content + "</svg>";
}

std::string grid(double height) {
  std::string lines;
  for (int tick = 0; tick <= 4; ++tick) {
    const double x = kMargin + kWidth * tick / 4;
    lines += line(x, 0, x, height, "axis");
  }
  return lines;
}

std::string mark(const Estimate& estimate, Scale scale, double y, const std::string& kind) {
  if (estimate.count == 0) return "";
  std::string marks;
  if (const auto& interval = estimate.interval) {
    marks += line(place_of(interval->low, scale), y, place_of(interval->high, scale), y, kind);
  }
  return marks + "<circle cx=\"" + pixels(place_of(estimate.mean, scale)) + "\" cy=\"" + pixels(y) +
         "\" r=\"4\" class=\"" + kind + "\"/>";
}

std::string scale_row(Scale scale) {
  std::string ticks;
  for (int tick = 0; tick <= 4; ++tick) {
    const std::string label =
        scale == Scale::points ? pixels(1.25 * tick) : std::to_string(25 * tick);
    ticks += "<text x=\"" + pixels(kMargin + kWidth * tick / 4) +
             "\" y=\"11\" text-anchor=\"middle\">" + label + "</text>";
  }
  return "<tr><td></td><td>" + svg(14, ticks) + "</td><td></td></tr>\n";
}

const GroupScores* same_group(const ScoredRun& run, const GroupScores& group) {
  for (const GroupScores& other : run.groups) {
    if (other.by == group.by && other.name == group.name) return &other;
  }
  return nullptr;
}

std::string series_figure(const ScoreReport& report, size_t number) {
  const Series& series = report.first.series[number];
  std::string html =
      "<figure><figcaption>" + escaped(series_title(series)) + "</figcaption>\n<table>\n";
  for (const GroupScores& group : report.first.groups) {
    const Estimate& first = group.estimates[number];
    const GroupScores* other = report.second ? same_group(*report.second, group) : nullptr;
    const double height = other != nullptr ? 30 : 22;
    std::string marks = grid(height) + mark(first, series.scale, 11, "first");
    std::string text = escaped(estimate_text(first, series.scale));
    if (other != nullptr) {
      marks += mark(other->estimates[number], series.scale, 22, "second");
      text += "<br>" + escaped(estimate_text(other->estimates[number], series.scale));
    }
    html += "<tr><td>" + escaped(group_title(group)) + "</td><td>" + svg(height, marks) +
            "</td><td>" + text + "</td></tr>\n";
  }
  return html + scale_row(series.scale) + "</table></figure>\n";
}

/// How often each score was given, as bars.
std::string histogram(const Series& series, const std::string& kind) {
  std::array<int64_t, 6> counts{};
  int64_t most = 1;
  for (const auto& value : series.values) {
    if (!value) continue;
    int64_t& count = counts.at(static_cast<size_t>(std::lround(*value)));
    most = std::max(most, ++count);
  }
  std::string html =
      "<figure><figcaption>How often the judge gave each score</figcaption>\n<table>\n";
  for (size_t score = 0; score < counts.size(); ++score) {
    const double length = kWidth * static_cast<double>(counts[score]) / static_cast<double>(most);
    const std::string bar = "<rect x=\"" + pixels(kMargin) + "\" y=\"4\" width=\"" +
                            pixels(length) + "\" height=\"14\" class=\"" + kind + "\"/>";
    html += "<tr><td>" + std::to_string(score) + "</td><td>" + svg(22, bar) + "</td><td>" +
            std::to_string(counts[score]) + "</td></tr>\n";
  }
  return html + "</table></figure>\n";
}

void add_histogram(const ScoredRun& run, const std::string& kind, std::string& html) {
  for (const Series& series : run.series) {
    if (series.scale == Scale::points) html += histogram(series, kind);
  }
}

}  // namespace

std::string plots_html(const ScoreReport& report) {
  std::string html;
  if (report.second) {
    html +=
        "<p><span class=\"key first\">first run</span> <span class=\"key second\">second run"
        "</span></p>\n";
  }
  html += "<div class=\"plots\">\n";
  for (size_t i = 0; i < report.first.series.size(); ++i) html += series_figure(report, i);
  add_histogram(report.first, "first", html);
  if (report.second) add_histogram(*report.second, "second", html);
  return html + "</div>\n";
}

}  // namespace moviechat::judge
