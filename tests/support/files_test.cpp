#include "moviechat/support/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "moviechat/support/error.h"
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
