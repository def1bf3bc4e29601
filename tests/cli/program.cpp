#include "program.h"

namespace moviechat::cli::testing {
namespace fs = std::filesystem;

std::string shell_word(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string program() {
  return shell_word((moviechat::testing::binary_dir() / "bin" / "moviechat").string());
}

ProgramResult moviechat(const std::string& arguments, const std::string& environment) {
  return moviechat::testing::run(
      "MOVIECHAT_MODEL=" + shell_word(moviechat::testing::tiny_bundle().string()) + " " +
      environment + " " + program() + " " + arguments);
}

std::string film() { return shell_word(moviechat::testing::golden("clip.avi").string()); }

fs::path shipped_bundle() {
  const fs::path mini = moviechat::testing::source_dir() / "models" / "mini";
  return fs::exists(mini / "model.yaml") ? mini : moviechat::testing::tiny_bundle();
}

}  // namespace moviechat::cli::testing
