#include "support_for_tests/paths.h"

#include <stdlib.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace moviechat::testing {
namespace fs = std::filesystem;

fs::path source_dir() { return MOVIECHAT_SOURCE_DIR; }
fs::path binary_dir() { return MOVIECHAT_BINARY_DIR; }
fs::path data(const std::string& name) { return source_dir() / "tests" / "data" / name; }
fs::path golden(const std::string& name) { return data("golden") / name; }
fs::path tiny_bundle() { return data("tiny_bundle"); }

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "moviechat-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

ProgramResult run(const std::string& command) {
  const TemporaryFolder folder;
  const std::string line = "( " + command + "\n) >'" + (folder / "out").string() + "' 2>'" +
                           (folder / "err").string() + "'";
  const int status = std::system(line.c_str());
  const auto slurp = [](const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  };
  ProgramResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = slurp(folder / "out");
  result.err = slurp(folder / "err");
  return result;
}

}  // namespace moviechat::testing
