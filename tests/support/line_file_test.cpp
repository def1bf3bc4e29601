#include "moviechat/support/line_file.h"

#include <gmock/gmock.h>

#include <fstream>

#include "moviechat/support/error.h"
#include "moviechat/support/files.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  const LineFile file(path, "test", [&](int64_t number, std::string_view line) {
    lines.push_back(std::to_string(number) + ":" + std::string(line));
  });
  return lines;
}
const auto kIgnore = [](int64_t, std::string_view) {};

TEST(LineFile, GrowsFromNothing) {
  const testing::TemporaryFolder folder;
  {
    LineFile file(folder / "lines", "test", kIgnore);
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
    LineFile file(folder / "lines", "test", kIgnore);
    file.add("c");
  }
  EXPECT_EQ(read_file(folder / "lines", "test"), "a\nb\nc\n");
}

TEST(LineFile, OfOnlyATornLineIsEmpty) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "lines") << "hal";
  EXPECT_THAT(lines_of(folder / "lines"), IsEmpty());
}

TEST(LineFile, IsOpenOnce) {
  const testing::TemporaryFolder folder;
  const LineFile first(folder / "lines", "test", kIgnore);
  EXPECT_THROW(LineFile(folder / "lines", "test", kIgnore), InputError);
}

TEST(LineFile, ThatCannotBeOpenedIsTheUsersToMend) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(LineFile(folder.path(), "test", kIgnore), InputError);
  EXPECT_THROW(LineFile(folder / "no/lines", "test", kIgnore), InputError);
}

}  // namespace
}  // namespace moviechat
