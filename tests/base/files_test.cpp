#include "base/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "moviechat/error.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

using ::testing::HasSubstr;

TEST(Files, HashesAsSha256sumDoes) {
  const auto file = testing::golden("clip.avi");
  EXPECT_EQ(sha256_of_file(file),
            testing::run("sha256sum '" + file.string() + "'").out.substr(0, 64));
  EXPECT_EQ(sha256(read_file(file, "file")), sha256_of_file(file));
}

TEST(Files, AreReplacedWhole) {
  const testing::TemporaryFolder folder;
  write_file(folder / "a", std::string(3 << 20, 'x'));
  write_file(folder / "a", "short");
  EXPECT_EQ(read_file(folder / "a", "file"), "short");
  EXPECT_EQ(testing::run("ls '" + folder.path().string() + "'").out, "a\n");
}

TEST(FilesThreads, APipeThatNeverBlocksGetsEveryByte) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_NONBLOCK), 0);
  std::string text;
  for (int i = 0; text.size() < (1 << 20); ++i) text += std::to_string(i) + " ";
  std::string arrived;
  std::thread reader([&] {
    std::array<char, 5000> buffer{};
    for (;;) {
      const ssize_t count = ::read(pipe[0], buffer.data(), buffer.size());
      if (count == 0) return;
      if (count > 0) arrived.append(buffer.data(), static_cast<size_t>(count));
    }
  });
  EXPECT_EQ(write_all(pipe[1], text), 0);
  ::close(pipe[1]);
  reader.join();
  ::close(pipe[0]);
  EXPECT_EQ(arrived, text);
}

TEST(Files, OfOthersAreNotReplaced) {
  const testing::TemporaryFolder folder;
  const std::vector<std::string> names = {"report.txt", "report.md"};
  refuse_files_of_others(folder.path(), names, "a report.json");
  write_file(folder / "report.md", "my own");
  EXPECT_THAT([&] { refuse_files_of_others(folder.path(), names, "a report.json"); },
              ::testing::ThrowsMessage<InputError>(
                  HasSubstr("holds report.md without a report.json; give another --out")));
}

TEST(Files, ANameThatCannotBeWrittenIsSaid) {
  EXPECT_THAT([] { write_file("/no/such/folder/a", "x"); },
              ::testing::ThrowsMessage<Error>(
                  HasSubstr("cannot write '/no/such/folder/a': No such file or directory")));
}

TEST(Files, WhatCannotBeReadIsSaid) {
  EXPECT_THAT(
      [] { read_file("/no/such/file", "question file"); },
      ::testing::ThrowsMessage<InputError>(HasSubstr("cannot read question file '/no/such/file'")));
  EXPECT_THAT([] { read_file("/tmp", "question file"); },
              ::testing::ThrowsMessage<InputError>(HasSubstr("is a folder")));
}

}  // namespace
}  // namespace moviechat
