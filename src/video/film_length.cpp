#include "video/film_length.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace moviechat {
namespace {

constexpr double kHighestRate = 1e6;  // frames/s
constexpr Rational kDefaultRate{25, 1};

bool usable(AVRational rate) {
  return rate.num > 0 && rate.den > 0 && av_q2d(rate) <= kHighestRate;
}

double tick(const Demuxer& demuxer) { return av_q2d(demuxer.stream().time_base); }

// An index that lists all frames knows better than a header with a wrong number in it.
bool index_disagrees(const Demuxer& demuxer, int64_t first, Seconds stated) {
  const std::optional<int64_t> end = demuxer.index_end();
  if (!end || !demuxer.stated_video_duration(first)) return false;
  const double length = (static_cast<double>(*end) - static_cast<double>(first)) * tick(demuxer);
  return length > 0 && std::abs(length - stated.count()) > std::max(1.0, 0.05 * length);
}

/// A guessed duration and what comes after it in the file's last second.
Seconds with_last_frames(Demuxer pass, int64_t first, Seconds guessed) {
  const Seconds before = guessed - Seconds(1);
  if (!pass.seek(first + std::llround(before.count() / tick(pass)))) return guessed;
  const Measured measured = measure(pass);
  const Seconds end(static_cast<double>(measured.end - first) * tick(pass));
  return measured.timed && end > guessed && end < guessed + Seconds(1) ? end : guessed;
}

/// Somewhere in the file timestamps go back by more than their reordering, or lie beyond what is
/// stated: recordings put one behind the other, of which FFmpeg sees the first time and the last.
bool starts_over(Demuxer pass, int64_t first, Seconds stated) {
  constexpr int64_t kProbes = 64;
  const double end = static_cast<double>(first) * tick(pass) + stated.count() + 1;
  double latest = -kLongestFilm;
  for (const int64_t pts : pass.probe(kProbes)) {
    const double time = static_cast<double>(pts) * tick(pass);
    if (time < latest - 1 || time > end) return true;
    latest = std::max(latest, time);
  }
  return false;
}

/// By a pass over all packets.
Seconds measured_length(Demuxer pass, int64_t first) {
  const Measured measured = measure(pass);
  const double end = static_cast<double>(measured.end - first) * tick(pass);
  if (measured.timed && end > 0 && end < kLongestFilm) return Seconds(end);
  const auto packets = static_cast<double>(std::max<int64_t>(measured.packets, 1));
  return Seconds(packets / frame_rate(pass.stream()).value());
}

}  // namespace

Rational frame_rate(const AVStream& stream) {
  if (usable(stream.avg_frame_rate)) return from_av(stream.avg_frame_rate);
  if (usable(stream.r_frame_rate)) return from_av(stream.r_frame_rate);
  return kDefaultRate;
}

FilmLength film_length(const Demuxer& demuxer, const std::string& path,
                       const ReaderOptions& options, int64_t first) {
  const auto again = [&] { return Demuxer(path, options.allow_url, options.cancel); };
  const std::optional<Seconds> stated = demuxer.stated_duration(first);
  const bool right = stated && !index_disagrees(demuxer, first, *stated);
  if (demuxer.live()) return {.duration = right ? *stated : Seconds(0)};
  if (stated && demuxer.may_start_over() && starts_over(again(), first, *stated)) {
    return {.duration = measured_length(again(), first), .measured = true, .starts_over = true};
  }
  if (!right) return {.duration = measured_length(again(), first), .measured = true};
  return {.duration =
              demuxer.end_is_guessed() ? with_last_frames(again(), first, *stated) : *stated};
}

}  // namespace moviechat
