#include "moviechat/video/frame_times.h"

#include <algorithm>
#include <cmath>

#include "video/film_scan.h"

namespace moviechat {
namespace {

constexpr double kSameTime = 1e-6;  // s; a constant rate's own quotient is taken within this

/// As MP4's tables prove it, else by a pass over the film's packets; nullptr where they do not
/// tell, and for a stream that comes as it comes, which is not opened twice.
std::shared_ptr<const FilmIndex> index_of(const std::filesystem::path& path, const VideoInfo& info,
                                          const ReaderOptions& options) {
  if (info.open_ended()) return nullptr;
  Demuxer pass(path.string(), options.allow_url, options.cancel);
  const double tick = av_q2d(pass.stream().time_base);
  const int64_t first = std::llround(info.start.count() / tick);
  if (auto proven = pass.proven_index(first)) return proven;
  return scan_film(pass, first, info.fps.value()).index;
}

}  // namespace

std::vector<std::optional<Seconds>> times_of_frames(const std::filesystem::path& path,
                                                    const VideoInfo& info,
                                                    const std::vector<int64_t>& indices,
                                                    const ReaderOptions& options) {
  const auto index = index_of(path, info, options);
  const int64_t frames = index ? index->frames() : std::max<int64_t>(info.frames, 1);
  std::vector<std::optional<Seconds>> times;
  times.reserve(indices.size());
  for (const int64_t frame : indices) {
    const Seconds by_rate(static_cast<double>(frame) / info.fps.value());
    if (frame < 0 || (frame >= frames && !info.open_ended())) {
      times.emplace_back();
    } else if (index && std::abs((index->time(frame) - by_rate).count()) >= kSameTime) {
      times.emplace_back(index->time(frame));
    } else {
      times.emplace_back(by_rate);
    }
  }
  return times;
}

std::vector<std::optional<int64_t>> indices_of_frames(const std::filesystem::path& path,
                                                      const VideoInfo& info,
                                                      const std::vector<int64_t>& timestamps,
                                                      const ReaderOptions& options) {
  std::vector<std::optional<int64_t>> indices(timestamps.size());
  if (timestamps.empty()) return indices;
  const auto index = index_of(path, info, options);
  if (!index) return indices;
  for (size_t i = 0; i < timestamps.size(); ++i) {
    const int64_t frame = index->frame_at(timestamps[i]);
    if (index->pts(frame) == timestamps[i]) indices[i] = frame;
  }
  return indices;
}

}  // namespace moviechat
