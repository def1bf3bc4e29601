#pragma once

#include <filesystem>
#include <string>

namespace moviechat::testing {

/// A file of tests/data.
std::filesystem::path data(const std::string& name);
/// A file of the recorded references, tests/data/golden.
std::filesystem::path golden(const std::string& name);
/// The bundle made of the references' tiny checkpoints.
std::filesystem::path tiny_bundle();
/// The checkout and the build folder.
std::filesystem::path source_dir();
std::filesystem::path binary_dir();

/// A folder that is removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// What a program did: exit code (128 + signal when killed), stdout, stderr.
struct ProgramResult {
  int exit_code = 0;
  std::string out;
  std::string err;
};
/// Runs a shell command line to its end.
ProgramResult run(const std::string& command);

}  // namespace moviechat::testing
