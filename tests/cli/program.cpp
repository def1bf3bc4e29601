#include "program.h"

namespace moviechat::cli::testing {
namespace fs = std::filesystem;

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string program() {
  return quoted((moviechat::testing::binary_dir() / "src" / "cli" / "moviechat").string());
}

ProgramResult moviechat(const std::string& arguments, const std::string& environment) {
  return moviechat::testing::run(
      "MOVIECHAT_MODEL=" + quoted(moviechat::testing::tiny_bundle().string()) + " " + environment +
      " " + program() + " " + arguments);
}

std::string film() { return quoted(moviechat::testing::golden("clip.avi").string()); }

fs::path shipped_bundle() {
  const fs::path mini = moviechat::testing::source_dir() / "models" / "mini";
  return fs::exists(mini / "model.yaml") ? mini : moviechat::testing::tiny_bundle();
}

}  // namespace moviechat::cli::testing
