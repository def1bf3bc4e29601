#include "cli/refusal.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>

namespace moviechat::cli::testing {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

void expect_one_line(const ProgramResult& result, int exit_code,
                     const std::vector<std::string>& said) {
  EXPECT_EQ(result.exit_code, exit_code);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_TRUE(result.err.starts_with("moviechat: error: ")) << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  for (const std::string& part : said) EXPECT_THAT(result.err, HasSubstr(part));
}

std::optional<std::string> as_somebody() {
  if (geteuid() != 0) return "";
  const std::string nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups ";
  if (moviechat::testing::run(nobody + program() + " --version").exit_code != 0) {
    return std::nullopt;
  }
  return nobody;
}

}  // namespace moviechat::cli::testing
