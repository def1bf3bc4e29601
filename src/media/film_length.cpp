#include "media/film_length.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "media/film_index.h"
#include "media/header_claims.h"

namespace moviechat {
namespace {

constexpr double kHighestRate = 1e6;  // frames/s
constexpr Rational kDefaultRate{25, 1};

bool usable(AVRational rate) {
  return rate.num > 0 && rate.den > 0 && av_q2d(rate) <= kHighestRate;
}

/// A rate as people write it: whole, or whole · 1000/1001, where a measured one is within 0.05 %.
Rational rational_rate(double rate) {
  for (const int64_t den : {1000, 1001}) {
    const double whole = std::round(rate * static_cast<double>(den) / 1000);
    const double candidate = whole * 1000 / static_cast<double>(den);
    if (whole > 0 && std::abs(candidate - rate) < 5e-4 * rate) {
      return den == 1000 ? Rational{static_cast<int64_t>(whole), 1}
                         : Rational{static_cast<int64_t>(whole) * 1000, den};
    }
  }
  return from_av(av_d2q(rate, 1'000'000));
}

/// The stated rate, unless it is a clock's, or another film's.
Rational true_rate(Rational stated, const FilmIndex& index) {
  const int64_t last = index.frames() - 1;
  if (last < 1 || !(index.time(last) > Seconds(0))) return stated;
  const double measured = static_cast<double>(last) / index.time(last).count();
  const double tolerance = std::max(0.02, 1.5 / static_cast<double>(last));
  const auto is_stated = [&](double rate) {
    return std::abs(rate / stated.value() - 1) <= tolerance;
  };
  // Where frames are missing, those that are there tell the rate.
  const bool right = is_stated(measured) || is_stated(1 / index.usual_step().count());
  return right ? stated : rational_rate(measured);
}

/// Lets a film begin at the timestamp of its first shown frame. Where packets have decoding times
/// only, a decoder that reorders shows each frame with the time of a later packet, and the last
/// ones one frame after another.
void begin_at(FilmIndex& index, int64_t first, bool by_decoding) {
  const int64_t all = index.frames();
  index.begin_at(first);
  const int64_t step = std::max<int64_t>(index.usual_ticks(), 1);
  while (by_decoding && index.frames() > 0 && index.frames() < all) {
    index.add(index.end());
    index.end_at(index.end() + step);
  }
}

Seconds tolerance(const FilmLength& length) { return Seconds(0.2 + 2 / length.fps.value()); }

/// By the header alone, which is not proven.
FilmLength claimed_length(const Demuxer& demuxer, FilmLength length, int64_t first) {
  const auto own = claimed_video_duration(demuxer, first);
  const auto all = claimed_duration(demuxer, first);
  length.duration = own && all ? std::min(*own, *all) : own.value_or(all.value_or(Seconds(0)));
  if (length.duration > Seconds(0)) {
    length.frames =
        std::max<int64_t>(std::llround(length.duration.count() * length.fps.value()), 1);
  }
  return length;
}

/// The header's length of a film that was read to its end and ends earlier; nullopt when it is
/// whole.
std::optional<Seconds> broken_promise(Demuxer& demuxer, const FilmLength& length, int64_t first) {
  if (!length.is_last_torn && !is_claim_binding(demuxer)) return std::nullopt;
  const auto own = claimed_video_duration(demuxer, first);
  if (own) return *own > length.duration + tolerance(length) ? own : std::nullopt;
  const auto all = claimed_duration(demuxer, first);
  if (!all || !(*all > length.duration + tolerance(length))) return std::nullopt;
  if (demuxer.only_stream()) return all;
  // Sound may go on after the pictures; it ends early, too, where the file is cut off.
  const double start = static_cast<double>(first) * av_q2d(demuxer.stream().time_base);
  const bool reached = length.end && *length.end - Seconds(start) + Seconds(1) > *all;
  return reached ? std::nullopt : all;
}

}  // namespace

Rational stated_rate(const AVStream& stream) {
  if (usable(stream.avg_frame_rate)) return from_av(stream.avg_frame_rate);
  if (usable(stream.r_frame_rate)) return from_av(stream.r_frame_rate);
  return kDefaultRate;
}

FilmLength survey_film(Demuxer& demuxer, const ReaderOptions& options) {
  FilmLength length;
  length.fps = stated_rate(demuxer.stream());
  if (demuxer.live()) return length;
  length.passed = demuxer.is_kept() || !claimed_duration(demuxer, 0);
  if (auto proven = demuxer.proven_index()) {
    length.index = std::move(proven);
    length.frames = length.index->frames();
    length.passed = false;
  } else if (length.passed) {
    static_cast<FilmScan&>(length) = scan_film(demuxer, length.fps.value(), options.progress);
    demuxer.rewind();
    length.frames = std::max<int64_t>(length.frames, 1);
    length.is_last_torn = length.is_last_torn && demuxer.container() != "mpegts";
  }
  if (!length.index) return length;
  const Rational rate = true_rate(length.fps, *length.index);
  if (rate != length.fps) {
    const int64_t last = length.index->pts(length.index->frames() - 1);
    const auto ticks_of = [&](Rational fps) {
      return std::llround(1 / (fps.value() * av_q2d(demuxer.stream().time_base)));
    };
    const bool by_rate = std::abs(length.index->end() - last - ticks_of(length.fps)) <= 1;
    if (by_rate) length.index->end_at(last + ticks_of(rate));
    length.fps = rate;
  }
  return length;
}

FilmLength length_from(FilmLength length, Demuxer& demuxer, const ReaderOptions& options,
                       int64_t first) {
  if (!length.passed && !length.index) {
    const bool end_will_tell = demuxer.live() && options.as_it_comes;
    return end_will_tell ? length : claimed_length(demuxer, std::move(length), first);
  }
  if (length.index) {
    begin_at(*length.index, first, length.by_decoding);
    length.frames = length.index->frames();
    length.duration = length.index->duration();
  }
  if (!(length.duration > Seconds(0))) {
    length.duration = Seconds(static_cast<double>(length.frames) / length.fps.value());
  }
  const auto claimed = claimed_duration(demuxer, first);
  length.measured = length.passed && (!claimed || std::abs((*claimed - length.duration).count()) >
                                                      tolerance(length).count());
  if (length.passed) {
    length.promised = broken_promise(demuxer, length, first);
    length.torn = length.is_last_torn ? "its last packet is incomplete" : torn_end(demuxer);
  } else if (demuxer.missing_from()) {
    length.promised = length.duration;
  }
  return length;
}

}  // namespace moviechat
