// Films that come through pipes, and what of a file is its film.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "media/films.h"
#include "media/frame_reader.h"
#include "media/frame_times.h"
#include "media/from_anywhere.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

using testing::all_frames;
using ::testing::AllOf;
using testing::bytes_fetched;
using ::testing::ElementsAre;
using testing::frames_of_file;
using testing::from_anywhere;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::refusal;
using testing::Variable;

/// A named pipe that a film is written into, once.
class FilmPipe {
 public:
  explicit FilmPipe(const std::string& film) : path_(folder_ / "pipe") {
    signal(SIGPIPE, SIG_IGN);  // the reader may stop early
    mkfifo(path_.c_str(), 0600);
    writer_ = std::jthread([this, film] {
      std::ofstream(path_, std::ios::binary) << film;
      written_ = true;
    });
  }
  /// The writer may still wait for a reader.
  ~FilmPipe() {
    const int reader = open(path_.c_str(), O_RDONLY | O_NONBLOCK);
    std::array<char, 4096> rest{};
    while (!written_) {
      if (read(reader, rest.data(), rest.size()) <= 0) std::this_thread::yield();
    }
    close(reader);
  }
  std::string path() const { return path_.string(); }

 private:
  testing::TemporaryFolder folder_;
  std::filesystem::path path_;
  std::atomic<bool> written_{false};
  std::jthread writer_;
};

class FilmOfPipe : public ::testing::TestWithParam<const char*> {
 protected:
  std::filesystem::path film_ = testing::film(GetParam());
  std::string bytes_ = testing::bytes_of(film_);
  std::vector<std::string> warnings_;
};
INSTANTIATE_TEST_SUITE_P(Containers, FilmOfPipe,
                         ::testing::Values("H264WithBFrames", "H264FragmentedMp4", "H264OpenGops",
                                           "H264OpenGopsTs", "Gif"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_P(FilmOfPipe, IsTheSameAsItsFile) {
  const FilmPipe pipe(bytes_);
  ReaderOptions options = from_anywhere(&warnings_);
  options.strict = true;
  FrameReader reader(pipe.path(), options);
  EXPECT_EQ(reader.info().duration, FrameReader(film_, from_anywhere()).info().duration);
  EXPECT_TRUE(all_frames(reader) == frames_of_file(film_));
  EXPECT_TRUE(time_of_frame(reader.info(), 3));
  EXPECT_EQ(reader.shown_at(Seconds(0)).time, Seconds(0));
  EXPECT_EQ(bytes_fetched(reader), std::ssize(bytes_));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_P(FilmOfPipe, IsTheSameAsItComes) {
  const FilmPipe pipe(bytes_);
  ReaderOptions options = from_anywhere(&warnings_);
  options.as_it_comes = true;
  FrameReader reader(pipe.path(), options);
  EXPECT_TRUE(all_frames(reader) == frames_of_file(film_));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST(PipedFilm, WhoseIndexIsAtItsEndNeedsASpool) {
  const FilmPipe pipe(testing::bytes_of(testing::film("H264WithBFrames")));
  ReaderOptions options = from_anywhere();
  options.as_it_comes = true;
  options.spool = 0;
  EXPECT_THAT(refusal(pipe.path(), options),
              AllOf(HasSubstr("its index lies at its end"), HasSubstr("video.spool 0")));
}

TEST(PipedFilm, LargerThanTheSpoolIsRefused) {
  const FilmPipe pipe(testing::bytes_of(testing::film("H264OpenGopsTs")));
  ReaderOptions options = from_anywhere();
  options.spool = 10'000;
  EXPECT_THAT(refusal(pipe.path(), options),
              AllOf(HasSubstr("is needed whole"), HasSubstr("video.spool allows (10000 bytes)")));
}

TEST(PipedFilm, LeavesNothingInTheTemporaryFolder) {
  const testing::TemporaryFolder folder;
  const FilmPipe pipe(testing::bytes_of(testing::film("H264OpenGopsTs")));
  const Variable temporary("TMPDIR", folder.path().string());
  const FrameReader reader(pipe.path(), from_anywhere());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(PipedFilm, WithoutRoomForTemporaryFilesIsNoFaultOfTheInput) {
  const testing::TemporaryFolder folder;
  const FilmPipe pipe(testing::bytes_of(testing::film("H264OpenGopsTs")));
  const Variable temporary("TMPDIR", (folder / "missing").string());
  try {
    const FrameReader reader(pipe.path(), from_anywhere());
    ADD_FAILURE() << "it was read without a temporary folder";
  } catch (const InputError& error) {
    ADD_FAILURE() << "the input is right: " << error.what();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("missing"), HasSubstr("set TMPDIR")));
  }
}

TEST(PipedFilm, CanBeCancelledWhileItIsWaitedFor) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  CancelFlag cancel;
  ReaderOptions options = from_anywhere();
  options.cancel = &cancel;
  const std::jthread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    cancel.cancel();
  });
  EXPECT_THROW(FrameReader(path, options), Cancelled);
}

TEST(PipedFilm, ThatIsEmptyOrNoFilmIsRefused) {
  EXPECT_THAT(
      refusal(FilmPipe("This is no film, but a text of some length.").path(), from_anywhere()),
      HasSubstr("is not a video that can be read"));
}

TEST(RawFilm, SaysWhenItsRateIsAGuess) {
  const auto folder = testing::films_folder();
  std::vector<std::string> warnings;
  testing::ffmpeg("-f lavfi -i testsrc2=s=64x48:r=30:d=1 -c:v mjpeg -f mjpeg '" +
                  (folder / "raw.mjpeg").string() + "'");
  FrameReader guessed(folder / "raw.mjpeg", from_anywhere(&warnings));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("does not say its frame rate; 25 frames a second")));
  warnings.clear();
  for (const char* coder : {"libx264", "mpeg4", "mpeg2video"}) {
    const auto path = folder / ("raw." + std::string(coder));
    const std::string format = std::string(coder) == "libx264" ? "h264"
                               : std::string(coder) == "mpeg4" ? "m4v"
                                                               : "mpeg2video";
    testing::ffmpeg("-f lavfi -i testsrc2=s=64x48:r=30:d=1 -c:v " + std::string(coder) + " -f " +
                    format + " '" + path.string() + "'");
    FrameReader stated(path, from_anywhere(&warnings));
    EXPECT_THAT(warnings, IsEmpty()) << coder;
  }
}

TEST(AuxiliaryTracks, AreNotTheFilm) {
  const auto path = testing::films_folder() / "alpha.mp4";
  testing::ffmpeg(
      "-f lavfi -i color=white:s=64x64:r=10:d=2 -f lavfi -i color=red:s=64x48:r=10:d=2 -map 0 "
      "-map 1 -c:v mpeg4 -disposition:0 default '" +
      path.string() + "'");
  EXPECT_EQ(FrameReader(path, from_anywhere()).info().height, 64);
  testing::patch(path, "hdlr", 12, "auxv");  // an alpha plane, by its handler
  EXPECT_EQ(FrameReader(path, from_anywhere()).info().height, 48);
}

}  // namespace
}  // namespace moviechat
