#include "moviechat/settings.h"

#include <filesystem>

#include "base/files.h"
#include "engine/home.h"
#include "moviechat/error.h"

namespace moviechat {
namespace fs = std::filesystem;

std::vector<Assignment> assignments_of_yaml(const std::string& yaml, const std::string& file) {
  std::vector<Assignment> all;
  for (auto& [key, text] : yaml_leaves(yaml, file)) all.push_back({key, text, "'" + file + "'"});
  return all;
}

std::vector<Assignment> defaults_of(const BundleSpec& bundle) {
  std::vector<Assignment> all;
  const std::string origin = "'" + (bundle.folder / "model.yaml").string() + "'";
  for (const auto& [key, text] : bundle.defaults) all.push_back({key, text, origin});
  return all;
}

std::vector<Assignment> read_profile(const std::string& name, const BundleSpec& bundle) {
  const std::string file = name + ".yaml";
  const fs::path own = bundle.folder / "profiles";
  const fs::path common = home_folder() / "configs";
  const bool plain = !name.empty() && name.find('/') == std::string::npos;
  std::error_code ignored;
  for (const fs::path& folder : {own, common}) {
    if (!plain || !fs::is_regular_file(folder / file, ignored)) continue;
    const std::string shown = folder == own ? (own / file).string() : "configs/" + file;
    return assignments_of_yaml(read_file(folder / file, "profile"), shown);
  }
  throw InputError("unknown profile '" + name + "'; there are: " + profile_names({own, common}));
}

Settings merge_settings(const BundleSpec& bundle, const std::string& profile,
                        const std::vector<Assignment>& given) {
  Settings settings;
  for (const Assignment& one : defaults_of(bundle)) apply(settings, settings.plan, one);
  if (!profile.empty()) {
    for (const Assignment& one : read_profile(profile, bundle)) apply(settings, settings.plan, one);
  }
  for (const Assignment& one : given) apply(settings, settings.plan, one);
  settings.check();
  return settings;
}

}  // namespace moviechat
