#include "eval/film_version.h"

#include <gmock/gmock.h>

#include <cmath>

#include "moviechat/error.h"

namespace moviechat::eval {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Film annotated(std::optional<int64_t> frames, std::optional<double> fps) {
  Film film;
  film.name = "1.mp4";
  film.frames = frames;
  film.fps = fps;
  return film;
}

VideoInfo video(int64_t frames, Rational fps) {
  VideoInfo info;
  info.frames = frames;
  info.fps = fps;
  info.duration = Seconds(static_cast<double>(frames) / fps.value());
  return info;
}

FilmVersion version(const Film& film, const VideoInfo& found) {
  return version_of(film, found, FilmFiles::videos);
}

const std::optional<int64_t> kNoCount;
const std::optional<double> kNoRate;

TEST(FilmVersion, AFilmAsAnnotatedIsTheSameThoughNumbersAreRounded) {
  const VideoInfo film = video(11508, {24000, 1001});
  for (const double fps : {24000 / 1001., 23.976, 23.98, 24., 23.}) {
    for (const int64_t frames : {11508, 11506, 11510, 11520}) {  // the last: 480 s at 24 a second
      EXPECT_EQ(version(annotated(frames, fps), film), FilmVersion::same) << frames << " " << fps;
    }
  }
  EXPECT_EQ(version(annotated(12, 1), video(12, {3, 2})), FilmVersion::same);
  EXPECT_EQ(version(annotated(250, 29), video(250, {30000, 1001})), FilmVersion::same);
}

TEST(FilmVersion, AnotherRateOfTheSameLengthIsTold) {
  const VideoInfo film = video(250, {25, 1});
  EXPECT_EQ(version(annotated(300, 30), film), FilmVersion::other_rate);
  EXPECT_EQ(version(annotated(240, 24), film), FilmVersion::other_rate);
  EXPECT_EQ(version(annotated(600, 60), film), FilmVersion::other_rate);
  EXPECT_EQ(version(annotated(10, 1), film), FilmVersion::other_rate);
  EXPECT_EQ(version(annotated(301, 30), film), FilmVersion::other_rate);
  EXPECT_EQ(version(annotated(60, 59.94), video(25, {25, 1})), FilmVersion::other_rate);
}

TEST(FilmVersion, AnotherLengthIsTold) {
  const VideoInfo film = video(250, {25, 1});
  EXPECT_EQ(version(annotated(12000, 25), film), FilmVersion::other);
  EXPECT_EQ(version(annotated(253, 25), film), FilmVersion::other);
  EXPECT_EQ(version(annotated(247, 25), film), FilmVersion::other);
  EXPECT_EQ(version(annotated(310, 30), film), FilmVersion::other);
  // As many frames, shown faster: the film that PAL made of a cinema's.
  EXPECT_EQ(version(annotated(250, 24), film), FilmVersion::other);
}

TEST(FilmVersion, WhatIsUnknownIsNotCompared) {
  const VideoInfo film = video(250, {25, 1});
  EXPECT_EQ(version(annotated(kNoCount, kNoRate), film), FilmVersion::same);
  EXPECT_EQ(version(annotated(0, 0), film), FilmVersion::same);
  EXPECT_EQ(version(annotated(250, kNoRate), film), FilmVersion::same);
  EXPECT_EQ(version(annotated(kNoCount, 25), film), FilmVersion::same);
  EXPECT_EQ(version(annotated(300, kNoRate), film), FilmVersion::other);
  EXPECT_EQ(version(annotated(kNoCount, 30), film), FilmVersion::other);
  VideoInfo live = film;
  live.duration = Seconds(0);
  live.frames = 0;
  EXPECT_EQ(version(annotated(12000, 30), live), FilmVersion::same);
}

/// What questions are asked about: frames as they are, times with "s".
std::vector<std::string> moments(const std::vector<Question>& questions) {
  std::vector<std::string> all;
  for (const Question& question : questions) {
    all.push_back(question.at_frame ? std::to_string(*question.at_frame)
                  : question.at ? std::to_string(std::lround(question.at->count() * 100)) + " cs"
                                : "all");
  }
  return all;
}

struct Asked {
  std::vector<std::string> moments;
  std::vector<std::string> warnings;
};
Asked ask(const Film& film, const VideoInfo& found, FilmFiles files = FilmFiles::videos) {
  Asked asked;
  std::vector<Question> questions = {
      {"a", {}, {}}, {"b", {}, 240}, {"c", Seconds(1.5), {}}, {"d", {}, 0}};
  ask_as_annotated(film, found, files, /*strict=*/false, questions,
                   [&](const std::string& line) { asked.warnings.push_back(line); });
  asked.moments = moments(questions);
  return asked;
}

TEST(AskAsAnnotated, IndicesOfTheAnnotatedFilmStay) {
  const Asked asked = ask(annotated(250, 25), video(250, {25, 1}));
  EXPECT_THAT(asked.moments, ElementsAre("all", "240", "150 cs", "0"));
  EXPECT_THAT(asked.warnings, IsEmpty());
}

TEST(AskAsAnnotated, IndicesOfAnotherRateBecomeTimes) {
  const Asked asked = ask(annotated(300, 30), video(250, {25, 1}));
  EXPECT_THAT(asked.moments, ElementsAre("all", "800 cs", "150 cs", "0 cs"));
  EXPECT_THAT(asked.warnings,
              ElementsAre(AllOf(HasSubstr("'1.mp4' is annotated with num_frame 300, fps 30, 10 s"),
                                HasSubstr("the video has num_frame 250, fps 25, 10 s"),
                                HasSubstr("asked by time"))));
}

TEST(AskAsAnnotated, IndicesOfAnotherLengthStayAndAreTold) {
  const Asked asked = ask(annotated(12000, 30), video(250, {25, 1}));
  EXPECT_THAT(asked.moments, ElementsAre("all", "240", "150 cs", "0"));
  EXPECT_THAT(asked.warnings, ElementsAre(AllOf(HasSubstr("num_frame 12000, fps 30, 400 s"),
                                                HasSubstr("num_frame 250, fps 25, 10 s"),
                                                HasSubstr("another version of the film"))));
}

TEST(AskAsAnnotated, FeaturesAreAskedByTimeAndComparedByLength) {
  const VideoInfo features = video(40, {4, 1});
  const Asked same = ask(annotated(250, 25), features, FilmFiles::features);
  EXPECT_THAT(same.moments, ElementsAre("all", "960 cs", "150 cs", "0 cs"));
  EXPECT_THAT(same.warnings, IsEmpty());
  const Asked other = ask(annotated(12000, 25), features, FilmFiles::features);
  EXPECT_THAT(other.moments, ElementsAre("all", "960 cs", "150 cs", "0 cs"));
  EXPECT_THAT(other.warnings, ElementsAre(AllOf(HasSubstr("num_frame 12000, fps 25, 480 s"),
                                                HasSubstr("its features are of 10 s"))));
  EXPECT_THROW(ask(annotated(250, kNoRate), features, FilmFiles::features), InputError);
}

TEST(AskAsAnnotated, StrictRefusesAnotherVersionOnly) {
  std::vector<Question> questions = {{"b", {}, 240}};
  const VideoInfo found = video(250, {25, 1});
  EXPECT_NO_THROW(
      ask_as_annotated(annotated(250, 25), found, FilmFiles::videos, true, questions, nullptr));
  for (const int64_t frames : {300, 12000}) {
    EXPECT_THROW(
        ask_as_annotated(annotated(frames, 30), found, FilmFiles::videos, true, questions, nullptr),
        InputError);
  }
}

}  // namespace
}  // namespace moviechat::eval
