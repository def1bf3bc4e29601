#include "engine/moments.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "moviechat/error.h"
#include "moviechat/fields.h"

namespace moviechat {
namespace {

std::string text_of(Seconds time) { return to_text(time.count()) + " s"; }

std::string beyond_the_end(Seconds at, const VideoInfo& video) {
  return "moment " + text_of(at) + " is beyond the end of '" + video.path + "', which is " +
         text_of(video.duration) + " long";
}

/// When the frames that questions name come on screen, by index.
std::map<int64_t, Seconds> frame_times(std::span<const Question> questions, FrameSource& source,
                                       const RunOptions& run, const WarningSink& warn) {
  std::vector<int64_t> frames;
  for (const Question& question : questions) {
    if (question.at_frame) frames.push_back(*question.at_frame);
  }
  std::map<int64_t, Seconds> times;
  if (frames.empty()) return times;
  const VideoInfo& video = source.info();
  const auto found = source.times_of(frames);
  for (size_t i = 0; i < frames.size(); ++i) {
    if (found[i]) {
      times.emplace(frames[i], *found[i]);
      continue;
    }
    const std::string line = "frame " + std::to_string(frames[i]) + " is not in '" + video.path +
                             "', which has some " + std::to_string(video.frames) +
                             " frames by its length and rate, counted from 0";
    if (!run.clamp_moments || frames[i] < 0) throw InputError(line);
    const auto last = static_cast<double>(std::max<int64_t>(video.frames - 1, 0));
    const bool is_new = times.emplace(frames[i], Seconds(last / video.fps.value())).second;
    if (is_new && warn) warn(line + "; its last one is taken");
  }
  return times;
}

Moment resolve(const Question& question, const FrameSource& source,
               const std::map<int64_t, Seconds>& time_of_frame, const RunOptions& run,
               const WarningSink& warn) {
  if (question.at_frame) return {time_of_frame.at(*question.at_frame), *question.at_frame};
  const VideoInfo& video = source.info();
  if (!source.times_known()) {
    throw InputError("features '" + video.path +
                     "' do not say when their frames were; give --features-fps or "
                     "--features-duration, or ask by --at-frame");
  }
  Seconds at = *question.at;
  constexpr Range<double> kMoments{0, 1e9};  // 31 years
  kMoments.check("the seconds of a moment", at.count());
  if (!video.open_ended() && at > video.duration) {
    if (!run.clamp_moments) throw InputError(beyond_the_end(at, video));
    if (warn) warn(beyond_the_end(at, video) + "; its end is taken");
    at = video.duration;
  }
  constexpr double kRounding = 1e-6;  // of a frame: t = k/fps is frame k
  return {at, static_cast<int64_t>(std::floor(at.count() * video.fps.value() + kRounding))};
}

}  // namespace

std::vector<Moment> collect_moments(WatchedFilm& film, FrameSource& source, Seconds watched,
                                    const RunOptions& run, const WarningSink& warn) {
  const auto joined = std::span(film.questions).subspan(film.moment_of.size());
  const std::map<int64_t, Seconds> time_of_frame = frame_times(joined, source, run, warn);
  std::vector<Moment> moments;
  for (const Question& question : joined) {
    if (!question.at && !question.at_frame) {
      film.moment_of.emplace_back();
      continue;
    }
    Moment moment = resolve(question, source, time_of_frame, run, warn);
    const auto known = std::find(film.moments.begin(), film.moments.end(), moment.at);
    film.moment_of.emplace_back(known - film.moments.begin());
    if (known != film.moments.end()) continue;
    if (run.clamp_moments && moment.at < watched) {
      if (warn)
        warn("moment " + text_of(moment.at) + " has passed; " + text_of(watched) + " is taken");
      moment.at = watched;
    }
    moments.push_back(moment);
    film.moments.push_back(moment.at);
  }
  return moments;
}

void check_in_film(Seconds moment, const VideoInfo& video) {
  if (moment > video.duration) throw InputError(beyond_the_end(moment, video));
}

}  // namespace moviechat
