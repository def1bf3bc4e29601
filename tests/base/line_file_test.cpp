#include "base/line_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "base/files.h"
#include "moviechat/error.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  const LineFile file(path, "test", "", [&](int64_t number, std::string_view line) {
    lines.push_back(std::to_string(number) + ":" + std::string(line));
  });
  return lines;
}
const auto kIgnore = [](int64_t, std::string_view) {};

TEST(LineFile, GrowsFromNothing) {
  const testing::TemporaryFolder folder;
  {
    LineFile file(folder / "lines", "test", "", kIgnore);
    file.add("a");
    file.add("b");
  }
  EXPECT_THAT(lines_of(folder / "lines"), ElementsAre("1:a", "2:b"));
}

TEST(LineFile, CutsOffATornLastLine) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "lines") << "a\nb\nhal";
  EXPECT_THAT(lines_of(folder / "lines"), ElementsAre("1:a", "2:b"));
  {
    LineFile file(folder / "lines", "test", "", kIgnore);
    file.add("c");
  }
  EXPECT_EQ(read_file(folder / "lines", "test"), "a\nb\nc\n");
}

TEST(LineFile, OfOnlyATornLineIsEmpty) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "lines") << "hal";
  EXPECT_THAT(lines_of(folder / "lines"), IsEmpty());
}

TEST(LineFile, AnEndThatACrashLeftIsCutOff) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "log";
  for (const std::string& torn :
       {std::string("{\"a"), std::string("{\"a\": 1"), std::string("\0\0\0\n", 4), std::string(),
        std::string("{\"a\": \0\0", 8), std::string("\0\0", 2)}) {
    std::ofstream(file, std::ios::binary) << "{\"a\": 0}\n" << torn;
    {
      std::vector<std::string> lines;
      LineFile log(file, "test",
                   "{\"a\":", [&](int64_t, std::string_view line) { lines.emplace_back(line); });
      EXPECT_THAT(lines, ElementsAre("{\"a\": 0}"));
      log.add("{\"a\": 2}");
    }
    EXPECT_EQ(read_file(file, "log"), "{\"a\": 0}\n{\"a\": 2}\n");
  }
}

TEST(LineFile, OfOthersIsRefusedAndStaysAsItIs) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "notes";
  const auto only_a = [](int64_t, std::string_view line) {
    if (!line.starts_with("{\"a\":")) throw InputError("line is none");
  };
  for (const std::string& content :
       {std::string("my only notes"), std::string("lap 1: 58.3\nlap 2"), std::string("\n"),
        std::string("{\"a\": 0}\nmy notes"), std::string("{\"a\": 0}\nmy notes\n"),
        std::string("{\"b\": 1}"), std::string("\0\0\0", 3), std::string("\x01\x02\0\xff", 4),
        std::string("{\"a\": 0}\n\0\0my notes", 19)}) {
    std::ofstream(file, std::ios::binary) << content;
    EXPECT_THROW(LineFile(file, "test", "{\"a\":", only_a), InputError) << content;
    EXPECT_EQ(read_file(file, "notes"), content);
  }
}

TEST(LineFile, IsARegularFile) {
  const testing::TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(LineFile(folder / "pipe", "test", "", kIgnore), InputError);
  EXPECT_THROW(LineFile("/dev/null", "test", "", kIgnore), InputError);
}

TEST(LineFile, IsOpenOnce) {
  const testing::TemporaryFolder folder;
  const LineFile first(folder / "lines", "test", "", kIgnore);
  EXPECT_THROW(LineFile(folder / "lines", "test", "", kIgnore), InputError);
}

TEST(LineFile, ThatCannotBeOpenedIsTheUsersToMend) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(LineFile(folder.path(), "test", "", kIgnore), InputError);
  EXPECT_THROW(LineFile(folder / "no/lines", "test", "", kIgnore), InputError);
}

}  // namespace
}  // namespace moviechat
