#include "engine/home.h"

#include <dlfcn.h>

#include <cstdlib>
#include <set>

#include "moviechat/error.h"

namespace moviechat {
namespace fs = std::filesystem;
namespace {

bool is_home(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "configs" / "paper.yaml", ignored);
}

/// Of the program or shared library that this code is in.
fs::path own_file() {
  std::error_code ignored;
  Dl_info info{};
  const bool found = ::dladdr(reinterpret_cast<const void*>(&is_home), &info) != 0;
  const fs::path file = found ? fs::weakly_canonical(info.dli_fname, ignored) : fs::path();
  const bool shared = file.filename().string().find(".so") != std::string::npos;
  return shared ? file : fs::read_symlink("/proc/self/exe", ignored);
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
  const fs::path installed = own_file().parent_path().parent_path() / "share" / "moviechat";
  for (const fs::path& candidate : {installed, fs::path(MOVIECHAT_SOURCE_DIR)}) {
    if (is_home(candidate)) return candidate;
  }
  throw InputError("the program's configs and models were found neither in '" + installed.string() +
                   "' nor in '" MOVIECHAT_SOURCE_DIR
                   "'; set MOVIECHAT_HOME to the folder with both");
}

fs::path default_bundle() { return home_folder() / "models" / "mini"; }

std::string profile_names(const std::vector<fs::path>& folders) {
  std::set<std::string> names;
  std::error_code ignored;
  for (const fs::path& folder : folders) {
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      if (entry.path().extension() == ".yaml") names.insert(entry.path().stem().string());
    }
  }
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace moviechat
