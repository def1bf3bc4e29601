#include "report/report.h"

#include <gmock/gmock.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include "base/json.h"

#include "media/frame_reader.h"
#include "moviechat/error.h"
#include "score/runs.h"
#include "support_for_tests/paths.h"

namespace moviechat::report {
namespace {

using namespace score;  // what is reported
using score::testing::answer;
using score::testing::at;
using score::testing::film;
using ::testing::HasSubstr;

constexpr const char* kEvil = "<script>alert('|x|')</script>\n&amp; \"q\"";

void score(ScoredRun& run) {
  run.rows = rows_of(run.run);
  run.series = {offline_series(run.rows.rows, Metric::exact),
                offline_series(run.rows.rows, Metric::rouge_l)};
  run.groups = group_scores(run.rows.rows, run.series, {});
}

ScoreReport sample() {
  ScoreReport report;
  report.version = "1.2.3";
  report.first.run.file = "run/predictions.jsonl";
  report.first.run.videos = {
      film(0, "clip.avi", 10,
           {answer("Right?", "yes", "yes"), at(answer(kEvil, kEvil, "no"), 4, kEvil)}),
      film(1, "other.avi", 100, {answer("Right?", "yes", "yes"), answer("Wrong?", "no", "yes")})};
  report.first.run.videos[0].results[1].evidence = {{Seconds(1), Seconds(2), 0.1},
                                                    {Seconds(6), Seconds(8), 0.5}};
  report.first.manifest =
      nlohmann::ordered_json::parse(R"({"bundle": {"name": "tiny", "sha256": "abc"}})");
  score(report.first);
  return report;
}

TEST(Report, OfTextHasALineForEachGroup) {
  const std::string text = report_text(sample());
  EXPECT_THAT(text, HasSubstr("2 videos, 4 questions, 4 scored"));
  EXPECT_THAT(text, HasSubstr("\nmodel        tiny abc, profile ?"));
  EXPECT_THAT(text, HasSubstr("\nall               "));
  EXPECT_THAT(text, HasSubstr("\nmode breakpoint "));
  EXPECT_THAT(text, HasSubstr("50.0 ["));
  EXPECT_THAT(text, HasSubstr("\nlength 1 to 3 min"));
}

TEST(Report, OfJsonHasThePromisedKeys) {
  const auto json = nlohmann::json::parse(report_json(sample()));
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["bootstrap"]["clustered_by"], "video");
  const auto& run = json["runs"][0];
  EXPECT_EQ(run["questions_scored"], 4);
  EXPECT_EQ(run["manifest"]["bundle"]["name"], "tiny");
  EXPECT_TRUE(run["judge"].is_null());
  EXPECT_EQ(run["scores"][0]["by"], "all");
  EXPECT_EQ(run["scores"][0]["metrics"]["exact"]["mean"], 0.5);
  EXPECT_EQ(run["scores"][0]["metrics"]["exact"]["n"], 4);
  EXPECT_TRUE(run["scores"][0]["metrics"]["exact"]["low"].is_number());
  EXPECT_TRUE(json["comparison"].is_null());
}

TEST(Report, OfMarkdownKeepsItsColumns) {
  const std::string text = report_markdown(sample());
  size_t tables = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("|")) continue;
    ++tables;
    size_t bars = 0;
    for (size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '|' && (i == 0 || line[i - 1] != '\\')) ++bars;
    }
    EXPECT_EQ(bars, 5U) << line;
  }
  EXPECT_GE(tables, 6U);
}

TEST(Report, OfMarkdownShowsAnyTextAsText) {
  ScoreReport report = sample();
  report.first.groups.push_back(report.first.groups.front());
  report.first.groups.back().name =
      "![x](http://127.0.0.1/a.png) [y](http://127.0.0.1/) <img src=z> www.host a|b *c* `d`\n# e";
  const std::string text = report_markdown(report);
  EXPECT_THAT(text, HasSubstr("a.png"));
  EXPECT_THAT(text, HasSubstr("\\!\\[x\\]\\(http\\://127.0.0.1/a.png\\) \\[y\\]"));
  EXPECT_THAT(text, HasSubstr("\\<img src=z\\> www\\.host a\\|b \\*c\\* \\`d\\` \\# e"));
}

/// What the script of a page draws.
nlohmann::json data_of(const std::string& html) {
  const std::string_view kBegin = "<script id=\"data\" type=\"application/json\">";
  const size_t begin = html.find(kBegin) + kBegin.size();
  return nlohmann::json::parse(html.substr(begin, html.find("</script>", begin) - begin));
}

TEST(Report, OfHtmlShowsAnyTextAsText) {
  const std::string html = report_html(sample(), {});
  size_t scripts = 0;
  for (size_t at = html.find("<script"); at != std::string::npos;
       at = html.find("<script", at + 1)) {
    ++scripts;
  }
  EXPECT_EQ(scripts, 2U);  // the data and the page's own
  const auto data = data_of(html);
  EXPECT_EQ(data["wrong"].size(), 2U);
  EXPECT_EQ(data["wrong"][0]["question"], kEvil);
  EXPECT_EQ(data["wrong"][0]["category"], kEvil);
  EXPECT_EQ(data["decided_by"], "exact");
  EXPECT_EQ(data["pictures"], false);
  EXPECT_EQ(data["wrong"][0]["pictures"].size(), 0U);
  EXPECT_EQ(data["report"], nlohmann::json::parse(report_json(sample())));
}

TEST(Report, OfHtmlHoldsTextThatIsNoUnicode) {
  ScoreReport report = sample();
  report.first.run.videos[1].results[1].answer = "\xFF<!--\u2028\U0001F600";
  const std::string html = report_html(report, {});
  EXPECT_TRUE(std::all_of(html.begin() + html.find("id=\"data\""),
                          html.begin() + html.find("\"use strict\""),
                          [](char c) { return static_cast<unsigned char>(c) < 128; }));
  EXPECT_EQ(data_of(html)["wrong"][1]["answer"], "\uFFFD<!--\u2028\U0001F600");
}

TEST(Report, HasALineForEachQuestion) {
  const ScoreReport report = sample();
  std::istringstream lines(scores_jsonl(report.first));
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[1]["question"], kEvil);
  EXPECT_EQ(rows[1]["exact"], 0);
  EXPECT_EQ(rows[2]["exact"], 1);
}

TEST(Thumbnails, AreTheFramesOfTheMomentAndTheEvidence) {
  const ScoreReport report = sample();
  std::vector<std::string> warnings;
  const auto path = moviechat::testing::golden("clip.avi");
  const Thumbnails thumbnails = thumbnails_of(
      wrong_rows(report.first),
      [&](const eval::Prediction& film) -> std::filesystem::path {
        if (film.video == "clip.avi") return path;
        throw InputError("there is no video called other");
      },
      [&](const std::string& line) { warnings.push_back(line); }, nullptr, nullptr);
  const auto& pictures = thumbnails.at(&report.first.run.videos[0].results[1]);
  ASSERT_EQ(pictures.size(), 3U);
  EXPECT_EQ(pictures[0].at, 4);    // the moment
  EXPECT_EQ(pictures[1].at, 1.5);  // the middles of the evidence
  EXPECT_EQ(pictures[2].at, 7);

  ReaderOptions as_it_is;
  as_it_is.size = 0;
  FrameReader reader(path, as_it_is);
  std::vector<uint8_t> rgb(reader.frame_bytes());
  for (const Picture& picture : pictures) {
    reader.shown_at(Seconds(picture.at), rgb);
    const cv::Mat frame(static_cast<int>(reader.height()), static_cast<int>(reader.width()),
                        CV_8UC3, rgb.data());
    const std::vector<uint8_t> file(picture.jpeg.begin(), picture.jpeg.end());
    const cv::Scalar found = cv::mean(cv::imdecode(file, cv::IMREAD_COLOR));
    const cv::Scalar wanted = cv::mean(frame);
    for (int channel = 0; channel < 3; ++channel) {
      EXPECT_NEAR(found[channel], wanted[2 - channel], 3) << picture.at;
    }
  }
  EXPECT_THAT(warnings, ::testing::IsEmpty());  // the other film's wrong answer wants no picture
  const auto shown = data_of(report_html(report, thumbnails))["wrong"][0]["pictures"];
  ASSERT_EQ(shown.size(), 3U);
  EXPECT_EQ(shown[2]["at"], 7);
  EXPECT_THAT(shown[2]["jpeg"].get<std::string>(),
              ::testing::StartsWith("/9j/"));  // JPEG in base64
}

TEST(Thumbnails, OfAFilmThatIsMissingAreLeftOutWithAWarning) {
  const ScoreReport report = sample();
  std::vector<std::string> warnings;
  const Thumbnails thumbnails = thumbnails_of(
      wrong_rows(report.first),
      [](const eval::Prediction&) -> std::filesystem::path { throw InputError("not here"); },
      [&](const std::string& line) { warnings.push_back(line); }, nullptr, nullptr);
  EXPECT_THAT(warnings, ::testing::ElementsAre("no pictures of 'clip.avi': not here"));
  EXPECT_EQ(data_of(report_html(report, thumbnails))["wrong"][0]["pictures"].size(), 0U);
}

}  // namespace
}  // namespace moviechat::report
