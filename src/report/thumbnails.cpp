#include <fmt/format.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "media/frame_reader.h"
#include "moviechat/error.h"
#include "report/report.h"

namespace moviechat::report {

using namespace score;  // what is reported

namespace {

constexpr size_t kSpans = 3;
constexpr int kWidth = 176;
constexpr int kJpegQuality = 80;

/// Request for one picture of a row.
struct PictureRequest {
  double at = 0;
  size_t place = 0;  // among the pictures of the row
  const eval::Result* result = nullptr;
};

std::vector<double> times_of(const eval::Result& result) {
  std::vector<double> times;
  if (result.at) times.push_back(*result.at);
  if (!result.evidence) return times;
  std::vector<Evidence> spans = *result.evidence;
  std::stable_sort(spans.begin(), spans.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  if (spans.size() > kSpans) spans.resize(kSpans);
  std::sort(spans.begin(), spans.end(),
            [](const auto& a, const auto& b) { return a.start < b.start; });
  for (const Evidence& span : spans) times.push_back((span.start + span.end).count() / 2);
  return times;
}

/// Small JPEG file of a frame `rgb` [height, width, 3].
std::string jpeg_of(std::vector<uint8_t>& rgb, int width, int height) {
  const cv::Mat frame(height, width, CV_8UC3, rgb.data());
  const int small_height = std::max(1, static_cast<int>(int64_t{height} * kWidth / width));
  cv::Mat small;
  cv::resize(frame, small, {kWidth, small_height}, 0, 0, cv::INTER_AREA);
  cv::cvtColor(small, small, cv::COLOR_RGB2BGR);
  std::vector<uint8_t> jpeg;
  cv::imencode(".jpg", small, jpeg, {cv::IMWRITE_JPEG_QUALITY, kJpegQuality});
  return {jpeg.begin(), jpeg.end()};
}

/// Takes all requested pictures of a film in order of time, in one pass.
void take_pictures(const std::filesystem::path& path, std::vector<PictureRequest> wanted,
                   Thumbnails& thumbnails, const CancelFlag* cancel) {
  std::sort(wanted.begin(), wanted.end(),
            [](const PictureRequest& a, const PictureRequest& b) { return a.at < b.at; });
  ReaderOptions options;
  options.size = 0;
  options.cancel = cancel;
  FrameReader reader(path, options);
  std::vector<uint8_t> rgb(reader.frame_bytes());
  for (const PictureRequest& one : wanted) {
    reader.shown_at(Seconds(one.at), rgb);
    thumbnails[one.result][one.place].jpeg =
        jpeg_of(rgb, static_cast<int>(reader.width()), static_cast<int>(reader.height()));
  }
}

}  // namespace

Thumbnails thumbnails_of(const std::vector<Row>& rows, const FindVideo& find,
                         const WarningSink& warn, const ProgressSink& progress,
                         const CancelFlag* cancel) {
  std::map<int64_t, std::vector<PictureRequest>> of_video;
  std::map<int64_t, const eval::Prediction*> films;
  Thumbnails thumbnails;
  for (const Row& row : rows) {
    const std::vector<double> times = times_of(*row.result);
    if (times.empty()) continue;
    films[row.video] = row.film;
    for (size_t i = 0; i < times.size(); ++i) {
      thumbnails[row.result].push_back({times[i], ""});
      of_video[row.video].push_back({times[i], i, row.result});
    }
  }
  int64_t done = 0;
  for (auto& [video, wanted] : of_video) {
    if (cancel != nullptr) cancel->check();
    const eval::Prediction& film = *films.at(video);
    try {
      take_pictures(find(film), std::move(wanted), thumbnails, cancel);
    } catch (const InputError& error) {
      if (warn) warn(fmt::format("no pictures of '{}': {}", film.video, error.what()));
    }
    if (progress) {
      progress({"pictures", ++done, static_cast<int64_t>(of_video.size()), "videos"});
    }
  }
  return thumbnails;
}

}  // namespace moviechat::report
