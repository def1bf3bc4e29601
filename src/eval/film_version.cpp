#include "eval/film_version.h"

#include <algorithm>
#include <cmath>

#include "base/message.h"
#include "moviechat/fields.h"

namespace moviechat::eval {
namespace {

constexpr double kSlack = 2;  // frames: a count of duration · fps is rounded, and ends differ

bool has_rate(const Film& film) { return film.fps && *film.fps > 0; }
bool has_count(const Film& film) { return film.frames && *film.frames > 0; }

/// A count made of a length and 24 for 23.976 frames a second is 0.1 % off.
bool same_count(int64_t annotated, int64_t found) {
  constexpr double kRounding = 0.002;
  const double most = std::max(kSlack, kRounding * static_cast<double>(found));
  return std::abs(static_cast<double>(annotated) - static_cast<double>(found)) <= most;
}

bool same_rate(double annotated, double found) {
  constexpr double kRounding = 0.01;
  return std::abs(annotated - found) <= kRounding * found;
}

/// 29 or 30 for 29.97.
bool is_whole_of(double annotated, double found) {
  return annotated == std::floor(annotated) && std::abs(annotated - found) < 1;
}

bool same_length(const Film& film, const VideoInfo& found) {
  constexpr double kRounding = 0.01;
  const double length = found.duration.count();
  const double most = std::max(kRounding * length, kSlack / std::min(*film.fps, found.fps.value()));
  return std::abs(annotated_length(film).count() - length) <= most;
}

/// "250 frames, fps 25, 10 s", without what is unknown (0).
std::string facts(int64_t frames, double fps, double length) {
  const auto rounded = [](double value) {
    return moviechat::to_text(std::round(value * 1000) / 1000);
  };
  std::string text;
  const auto add = [&](const std::string& fact) { text += (text.empty() ? "" : ", ") + fact; };
  if (frames > 0) add(fmt::format("num_frame {}", frames));
  if (fps > 0) add("fps " + rounded(fps));
  if (length > 0) add(rounded(length) + " s");
  return text;
}

std::string difference(const Film& film, const VideoInfo& found, FilmFiles files) {
  const bool video = files == FilmFiles::videos;
  return fmt::format(
      "'{}' is annotated with {}{}{}", film.name,
      facts(film.frames.value_or(0), film.fps.value_or(0), annotated_length(film).count()),
      video ? ", but the video has " : ", but its features are of ",
      facts(video ? found.frames : 0, video ? found.fps.value() : 0, found.duration.count()));
}

void ask_by_time(const Film& film, std::vector<Question>& questions) {
  for (Question& question : questions) {
    if (!question.at_frame) continue;
    if (!has_rate(film)) {
      throw input_error(
          "the annotation does not say the frame rate of '{}', so that frame {} cannot "
          "be found in its features",
          film.name, *question.at_frame);
    }
    question.at = Seconds(static_cast<double>(*question.at_frame) / *film.fps);
    question.at_frame.reset();
  }
}

}  // namespace

Seconds annotated_length(const Film& film) {
  const bool known = has_rate(film) && has_count(film);
  return Seconds(known ? static_cast<double>(*film.frames) / *film.fps : 0);
}

FilmVersion version_of(const Film& film, const VideoInfo& found, FilmFiles files) {
  if (found.open_ended() || found.frames <= 0) return FilmVersion::same;
  const bool length_known = annotated_length(film) > Seconds(0);
  if (files == FilmFiles::features) {
    return length_known && !same_length(film, found) ? FilmVersion::other : FilmVersion::same;
  }
  const double rate = found.fps.value();
  const bool other_rate = has_rate(film) && !same_rate(*film.fps, rate);
  const bool other_count = has_count(film) && !same_count(*film.frames, found.frames);
  if (!other_count) {
    return other_rate && !is_whole_of(*film.fps, rate) ? FilmVersion::other : FilmVersion::same;
  }
  return other_rate && length_known && same_length(film, found) ? FilmVersion::other_rate
                                                                : FilmVersion::other;
}

void ask_as_annotated(const Film& film, const VideoInfo& found, FilmFiles files, bool strict,
                      std::vector<Question>& questions, const WarningSink& warn) {
  const FilmVersion version = version_of(film, found, files);
  const bool by_time = files == FilmFiles::features || version == FilmVersion::other_rate;
  if (version != FilmVersion::same) {
    const std::string line =
        difference(film, found, files) + ": the annotation is of another version of the film";
    if (strict) {
      throw InputError(line + "; give the one that was annotated, or set eval.strict=false");
    }
    if (warn) {
      warn(line + (by_time ? "; its breakpoints are asked by time, frame index / fps"
                           : "; its frame indices are used as they are"));
    }
  }
  if (by_time) ask_by_time(film, questions);
}

}  // namespace moviechat::eval
