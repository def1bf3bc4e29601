#include "moviechat/sampling_plan.h"

#include <algorithm>
#include <cmath>

#include "base/message.h"
#include "media/film_index.h"

namespace moviechat {
namespace {

constexpr int64_t kReleasedClips = 128;
constexpr int64_t kMostFrames = 100'000'000'000;  // of a film: 50 years of 60 frames a second
// Positions are multiples of F/2048 or the like: nearer than this to a whole frame is on it.
constexpr double kFrameSlack = 1e-6;
constexpr double kCountSlack = 1e-3;  // containers round durations to microseconds

int64_t floor_frame(double position) {
  return static_cast<int64_t>(std::floor(position + kFrameSlack));
}
int64_t ceil_frame(double position) {
  return static_cast<int64_t>(std::ceil(position - kFrameSlack));
}

/// A quotient as a whole number, also of clips so short that they are none: 0 then.
int64_t whole(double quotient) {
  constexpr double kMost = 1e18;
  return std::isnan(quotient) ? 0 : static_cast<int64_t>(std::clamp(quotient, -kMost, kMost));
}

/// Builds samples of one film from positions on it, in frames of its average rate: 0 … F.
struct Film {
  Seconds duration;
  double fps;
  double frames;  // F; without an index D·fps, put on the whole number it was rounded from
  int64_t last;
  bool by_frames;
  std::shared_ptr<const FilmIndex> index;

  Film(const Timing& timing, bool by_frames_)
      : duration(timing.duration),
        fps(timing.fps.value()),
        frames(timing.index ? static_cast<double>(timing.frames) : duration.count() * fps),
        last(std::max<int64_t>(timing.frames - 1, 0)),
        by_frames(by_frames_),
        index(timing.index) {
    if (std::abs(frames - std::round(frames)) < kCountSlack) frames = std::round(frames);
  }
  /// The share `share` of the film from its beginning on, 0 … 1.
  Sample at_share(double share) const {
    return by_frames ? at_frame(floor_frame(share * frames)) : at_time(duration * share);
  }
  Sample at_time(Seconds time) const {
    if (index) return {time, index->frame_at(time)};
    return {time, std::clamp<int64_t>(floor_frame(time.count() * fps), 0, last)};
  }
  // In the middle of its show, where timestamps rounded to milliseconds cannot pick a neighbour.
  Sample at_frame(int64_t frame) const {
    const int64_t existing = std::clamp<int64_t>(frame, 0, last);
    if (index) return {(index->time(existing) + index->end(existing)) / 2, existing};
    return {Seconds((static_cast<double>(existing) + 0.5) / fps), existing};
  }
  /// A whole frame of plans that count frames.
  Sample at_counted(int64_t frame) const {
    return by_frames ? at_frame(frame)
                     : at_time(duration * (static_cast<double>(std::min(frame, last)) / frames));
  }
};

/// Cuts samples into clips of at most `window`.
std::vector<Clip> in_windows(const std::vector<Sample>& samples, int64_t window) {
  std::vector<Clip> clips;
  for (size_t begin = 0; begin < samples.size(); begin += static_cast<size_t>(window)) {
    const size_t end = std::min(samples.size(), begin + static_cast<size_t>(window));
    clips.push_back(
        {static_cast<int64_t>(clips.size()), {samples.begin() + begin, samples.begin() + end}});
  }
  return clips;
}

std::vector<Clip> paper_clips(const Film& film, int64_t clips, int64_t window) {
  std::vector<Sample> samples;
  const int64_t count = clips * window;
  for (int64_t k = 0; k < count; ++k) {
    samples.push_back(film.at_share(static_cast<double>(k) / static_cast<double>(count)));
  }
  return in_windows(samples, window);
}

std::vector<Clip> released_clips(const Film& film, int64_t clips, int64_t window) {
  constexpr int64_t kLastFloored = 100;  // from here on the authors' cutter rounds starts up
  const double clip_frames = film.frames / static_cast<double>(clips);
  const int64_t held = std::max<int64_t>(ceil_frame(clip_frames), 1);  // v
  const int64_t read = std::min(window, held);                         // n
  std::vector<Clip> all;
  for (int64_t i = 0; i < clips; ++i) {
    const double position = static_cast<double>(i) * film.frames / static_cast<double>(clips);
    int64_t start = floor_frame(position);
    if (start > kLastFloored) start = ceil_frame(position);
    Clip clip{i, {}};
    for (int64_t k = 0; k < read; ++k)
      clip.samples.push_back(film.at_counted(start + k * held / read));
    all.push_back(std::move(clip));
  }
  return all;
}

std::vector<Sample> uniform_samples(const Film& film, int64_t wanted) {
  const int64_t frames = film.last + 1;
  const int64_t count = std::min(wanted, frames);
  std::vector<Sample> samples;
  for (int64_t k = 0; k < count; ++k) {
    samples.push_back(film.by_frames
                          ? film.at_frame(k * frames / count)
                          : film.at_share(static_cast<double>(k) / static_cast<double>(count)));
  }
  return samples;
}

std::vector<Sample> rate_samples(const Film& film, double rate) {
  const double count = std::ceil(film.duration.count() * rate - kFrameSlack);
  if (count > static_cast<double>(kMostPlanned)) {
    throw input_error("plan.rate {} asks for more than {} frames of {} s; take a lower rate",
                      to_text(rate), kMostPlanned, to_text(film.duration.count()));
  }
  std::vector<Sample> samples;
  for (int64_t k = 0; k < std::max<int64_t>(static_cast<int64_t>(count), 1); ++k) {
    const double position = static_cast<double>(k) / rate;
    samples.push_back(film.by_frames ? film.at_frame(floor_frame(position * film.fps))
                                     : film.at_time(Seconds(position)));
  }
  return samples;
}

}  // namespace

void PlanOptions::check() const {
  check_ranges(*this, "plan.");
  if (clips > kMostPlanned / window) {
    throw input_error("plan.clips times plan.window must be at most {}, got {} times {}",
                      kMostPlanned, clips, window);
  }
}

PlanOptions parse_plan(const std::string& shorthand, PlanOptions base) {
  const size_t colon = shorthand.find(':');
  const std::string name = shorthand.substr(0, colon);
  const bool has_number = colon != std::string::npos;
  const std::string number = has_number ? shorthand.substr(colon + 1) : "";
  const auto fail = [&] {
    throw input_error("plan must be clips, released, uniform:N, fps:R or none, got '{}'",
                      shorthand);
  };
  if (name == "uniform") {
    base.kind = PlanKind::uniform;
    if (has_number) from_text("plan uniform:N", number, base.frames);
  } else if (name == "fps") {
    base.kind = PlanKind::fps;
    if (has_number) from_text("plan fps:R", number, base.rate);
  } else if ((name == "clips" || name == "paper") && !has_number) {
    base.kind = PlanKind::clips;
  } else if (name == "released" && !has_number) {
    base.kind = PlanKind::released;
  } else if (name == "none" && !has_number) {
    base.kind = PlanKind::none;
  } else {
    fail();
  }
  base.check();
  return base;
}

int64_t SamplingPlan::sample_count() const {
  int64_t count = 0;
  for (const Clip& clip : clips) count += static_cast<int64_t>(clip.samples.size());
  return count;
}

std::string SamplingPlan::describe() const {
  size_t largest = 0;
  for (const Clip& clip : clips) largest = std::max(largest, clip.samples.size());
  return fmt::format("{}: {}{} of up to {} frames, {} samples of {} frames in {} s", name_of(kind),
                     clips.size(), clips.size() == 1 ? " clip" : " clips", largest, sample_count(),
                     frames, to_text(duration.count()));
}

SamplingPlan make_plan(const PlanOptions& options, const Timing& timing, int64_t default_clips) {
  options.check();
  if (options.kind == PlanKind::none)
    return {PlanKind::none, timing.duration, timing.fps, timing.frames, {}};
  if (!(timing.duration.count() > 0) || !std::isfinite(timing.duration.count())) {
    throw input_error(
        "plan {} needs a film with a known duration, and this one has none, as live "
        "streams; plan.kind fps answers questions about it as it comes",
        name_of(options.kind));
  }
  if (timing.fps.num <= 0 || timing.fps.den <= 0) {
    throw input_error("a sampling plan needs a film with a known frame rate, got {}/{}",
                      timing.fps.num, timing.fps.den);
  }
  Range<int64_t>{0, kMostFrames}.check("the frames of a film", timing.frames);
  Range<double>{0, static_cast<double>(kMostFrames)}.check(
      "the length of a film times its frame rate", timing.duration.count() * timing.fps.value());
  const bool counts = options.kind == PlanKind::released || options.kind == PlanKind::uniform;
  const Film film(timing, options.by == PlanBy::frames || (options.by == PlanBy::kind && counts));
  SamplingPlan plan{options.kind, timing.duration, timing.fps, timing.frames, {}};
  switch (options.kind) {
    case PlanKind::clips: {
      PlanOptions filled = options;
      if (filled.clips == 0) filled.clips = default_clips;
      Range<int64_t>{1, kMostPlanned}.check("the number of clips", filled.clips);
      filled.check();
      plan.clips = paper_clips(film, filled.clips, filled.window);
      break;
    }
    case PlanKind::released:
      plan.clips =
          released_clips(film, options.clips > 0 ? options.clips : kReleasedClips, options.window);
      break;
    case PlanKind::uniform:
      plan.clips = in_windows(uniform_samples(film, options.frames), options.window);
      break;
    case PlanKind::fps:
      plan.clips = in_windows(rate_samples(film, options.rate), options.window);
      break;
    case PlanKind::none:
      break;
  }
  return plan;
}

// reference: clip = duration / 128; q = int(t / clip); c = int((t - clip * q) / (clip / 18))
BreakpointCut released_cut(Seconds duration, Seconds moment, int64_t clips, int64_t denominator) {
  const double clip = duration.count() / static_cast<double>(clips);
  const double q = std::floor(moment.count() / clip);
  const double c =
      std::floor((moment.count() - clip * q) / (clip / static_cast<double>(denominator)));
  return {whole(q), whole(c)};
}

BreakpointCut eval_code_cut(int64_t frames, int64_t moment_frame, int64_t clips) {
  const double clip = static_cast<double>(frames) / static_cast<double>(clips);
  const double q = std::floor(static_cast<double>(moment_frame) / clip);
  const double c = std::floor(static_cast<double>(frames) - q * clip);
  return {whole(q), whole(c)};
}

}  // namespace moviechat
