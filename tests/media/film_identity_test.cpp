#include "media/film_identity.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/files.h"
#include "moviechat/error.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

namespace fs = std::filesystem;

/// A cache of its own, and a film that has been there for a while.
class FilmIdentity : public ::testing::Test {
 protected:
  FilmIdentity() { ::setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1); }
  ~FilmIdentity() override { ::unsetenv("XDG_CACHE_HOME"); }

  /// The only note in the cache.
  static fs::path note() {
    for (const auto& entry : fs::directory_iterator(film_identity_folder())) return entry.path();
    return {};
  }
  const fs::path film_ = testing::golden("clip.avi");
  testing::TemporaryFolder folder_;
};

TEST_F(FilmIdentity, IsTheSameForEqualBytesAndNoOthers) {
  fs::copy(film_, folder_ / "copy.mp4");
  write_file(folder_ / "longer", read_file(film_, "film") + "x");
  EXPECT_EQ(film_identity(film_), sha256_of_file(film_));
  EXPECT_EQ(film_identity(folder_ / "copy.mp4"), film_identity(film_));
  EXPECT_NE(film_identity(folder_ / "longer"), film_identity(film_));
}

TEST_F(FilmIdentity, IsRememberedAndNotComputedAgain) {
  const auto first = film_identity(film_);
  std::string text = read_file(note(), "note");
  const std::string other(64, 'a');
  text.replace(text.find(*first), other.size(), other);
  write_file(note(), text);
  EXPECT_EQ(film_identity(film_), other) << "the note was not read";
}

TEST_F(FilmIdentity, IsComputedAgainWhenTheFileOrTheNoteChanged) {
  fs::copy(film_, folder_ / "film");
  const auto first = film_identity(folder_ / "film");
  write_file(folder_ / "film", "another");  // at once, and under the same name
  EXPECT_EQ(film_identity(folder_ / "film"), sha256("another"));

  film_identity(film_);
  for (const char* damaged : {"", "1", "torn\n12", "x\ny\n"}) {
    write_file(note(), damaged);
    EXPECT_EQ(film_identity(film_), first) << damaged;
  }
}

TEST_F(FilmIdentity, NeedsNoCacheThatCanBeWritten) {
  write_file(folder_ / "file", "");
  ::setenv("XDG_CACHE_HOME", (folder_ / "file").c_str(), 1);
  EXPECT_EQ(film_identity(film_), sha256_of_file(film_));
}

TEST_F(FilmIdentity, BelongsToRegularFilesOnly) {
  EXPECT_EQ(film_identity("/dev/zero"), std::nullopt);
  EXPECT_EQ(film_identity(folder_ / "none"), std::nullopt);
  EXPECT_EQ(film_identity("https://example.org/film.mp4"), std::nullopt);
}

TEST_F(FilmIdentity, IsGivenUpWhenTheUserStops) {
  CancelFlag cancel;
  cancel.cancel();
  EXPECT_THROW(film_identity(film_, &cancel), Cancelled);
}

TEST_F(FilmIdentity, ManyThreadsMayAskAtATime) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this] { EXPECT_EQ(film_identity(film_), sha256_of_file(film_)); });
  }
}

}  // namespace
}  // namespace moviechat
