#include "cli/home.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "moviechat/support/error.h"
#include "moviechat/support/files.h"

namespace moviechat::cli {
namespace fs = std::filesystem;
namespace {

bool is_home(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "configs" / "paper.yaml", ignored);
}

std::string profile_names(const fs::path& configs) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(configs, ignored)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace

fs::path home_folder() {
  if (const char* given = std::getenv("MOVIECHAT_HOME"); given != nullptr && *given != '\0') {
    if (!is_home(given)) {
      throw InputError("MOVIECHAT_HOME is '" + std::string(given) +
                       "', where there is no configs/paper.yaml");
    }
    return given;
  }
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path installed = program.parent_path().parent_path() / "share" / "moviechat";
  for (const fs::path& candidate : {installed, fs::path(MOVIECHAT_SOURCE_DIR)}) {
    if (is_home(candidate)) return candidate;
  }
  throw InputError("the program's configs and models were found neither in '" + installed.string() +
                   "' nor in '" MOVIECHAT_SOURCE_DIR
                   "'; set MOVIECHAT_HOME to the folder with both");
}

fs::path default_bundle() { return home_folder() / "models" / "mini"; }

std::string read_profile(const std::string& name) {
  const fs::path configs = home_folder() / "configs";
  const fs::path file = configs / (name + ".yaml");
  std::error_code ignored;
  const bool plain = !name.empty() && name.find('/') == std::string::npos;
  if (!plain || !fs::is_regular_file(file, ignored)) {
    throw InputError("unknown profile '" + name + "'; there are: " + profile_names(configs));
  }
  return read_file(file, "profile");
}

}  // namespace moviechat::cli
