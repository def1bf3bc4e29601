#include "cli/program_settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/files.h"
#include "engine/home.h"

namespace moviechat::cli {
namespace {

constexpr std::string_view kPrefix = "MOVIECHAT_";

std::string variable_of(std::string_view key) {
  std::string name(kPrefix);
  for (const char c : key) {
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

/// Lists the dotted names of all fields, former ones too.
class NameLister {
 public:
  template <class T>
  requires(!RangedNumber<T>) void operator()(std::string_view name, T&, std::string_view) {
    add(name);
  }
  template <RangedNumber Number>
  void operator()(std::string_view name, Number&, const RangeOf<Number>&, std::string_view) {
    add(name);
  }
  template <class Group>
  void group(std::string_view name, Group& options) {
    const std::string outer = prefix_;
    prefix_ += std::string(name) + ".";
    visit_fields(options, *this);
    prefix_ = outer;
  }
  void former(std::string_view name, auto&, const FormerValues&) { add(name); }
  const std::vector<std::string>& names() const { return names_; }

 private:
  void add(std::string_view name) { names_.push_back(prefix_ + std::string(name)); }
  std::string prefix_;
  std::vector<std::string> names_;
};

void apply(ProgramSettings& chosen, const Assignment& one) {
  moviechat::apply(chosen, chosen.settings.plan, one);
}

std::string last_of(const std::vector<Assignment>& assignments, std::string_view key,
                    std::string otherwise) {
  for (const Assignment& one : assignments) {
    if (one.key == key) otherwise = one.text;
  }
  return otherwise;
}

std::map<std::string, std::string> values_of(const Settings& settings) {
  std::map<std::string, std::string> values;
  for (const FieldText& field : list_fields(settings)) values[field.key] = field.value;
  return values;
}

/// "a, b, c and 2 more".
std::string first_of(const std::vector<std::string>& names) {
  const auto end = names.begin() + std::min<std::ptrdiff_t>(3, std::ssize(names));
  return fmt::format("{}", fmt::join(names.begin(), end, ", ")) +
         (end == names.end() ? "" : fmt::format(" and {} more", names.end() - end));
}

}  // namespace

Environment moviechat_environment() {
  Environment ours;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (!text.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    ours[std::string(text.substr(0, equals))] = text.substr(equals + 1);
  }
  return ours;
}

std::vector<Assignment> assignments_of(const Environment& environment, const WarningSink& warn) {
  std::map<std::string, std::string> key_of = {{"MOVIECHAT_PLAN", "plan"},
                                               {"MOVIECHAT_DEVICE", "runtime.device"}};
  ProgramSettings settings;
  NameLister lister;
  visit_fields(settings, lister);
  for (const std::string& key : lister.names()) key_of[variable_of(key)] = key;
  std::vector<FieldText> known;
  for (const auto& [variable, key] : key_of) known.push_back({variable, "", "", ""});
  std::vector<Assignment> all;
  for (const auto& [variable, text] : environment) {
    if (variable == "MOVIECHAT_HOME") continue;
    const auto found = key_of.find(variable);
    if (found != key_of.end()) {
      all.push_back({found->second, text, variable});
      continue;
    }
    const std::string near = nearest_key(variable, known);
    warn(fmt::format("the environment's {} is no setting and is ignored", variable) +
         (near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
  return all;
}

MergedSettings merge_settings(const SettingsGiven& flags, const Environment& environment,
                              const WarningSink& warn) {
  const auto& file = flags.config;
  std::vector<Assignment> config;
  if (file) config = assignments_of_yaml(read_file(*file, "config file"), *file);
  std::vector<Assignment> given = assignments_of(environment, warn);
  given.insert(given.end(), flags.given.begin(), flags.given.end());

  MergedSettings merged;
  ProgramSettings& chosen = merged.chosen;
  const std::string named = last_of(given, "profile", "");
  chosen.profile = last_of(given, "profile", last_of(config, "profile", ""));
  chosen.model = last_of(given, "model", last_of(config, "model", ""));
  if (chosen.model.empty()) chosen.model = default_bundle().string();
  const bool has_profile = !chosen.profile.empty();
  if (!has_profile) chosen.profile = "paper";  // which is what is built in
  merged.bundle = read_bundle_spec(chosen.model);
  std::vector<Assignment> profile;
  if (has_profile) profile = read_profile(chosen.profile, merged.bundle);

  for (const Assignment& one : defaults_of(merged.bundle)) apply(chosen, one);
  const auto apply_all = [&](const std::vector<Assignment>& assignments) {
    for (const Assignment& one : assignments) {
      if (one.key != "model" && one.key != "profile") apply(chosen, one);
    }
    return values_of(chosen.settings);
  };
  auto of_profile = apply_all(profile);
  auto of_config = apply_all(config);
  auto in_the_end = apply_all(given);
  chosen.settings.check();

  // The file is the stronger, which who names a profile beside it may not expect.
  std::vector<std::string> overridden;
  for (const Assignment& one : profile) {
    const std::string& now = of_config[one.key];
    if (now != of_profile[one.key] && now == in_the_end[one.key]) overridden.push_back(one.key);
  }
  if (!named.empty() && !overridden.empty()) {
    warn(fmt::format(
        "'{}' overrides profile '{}': {}; leave them out of the file to have the profile's", *file,
        named, first_of(overridden)));
  }
  return merged;
}

RuntimeOptions merge_runtime(const std::vector<Assignment>& flags, const Environment& environment,
                             const WarningSink& warn) {
  std::vector<Assignment> given = assignments_of(environment, warn);
  given.insert(given.end(), flags.begin(), flags.end());
  ProgramSettings chosen;
  for (const Assignment& one : given) {
    if (one.key.starts_with("runtime.")) apply(chosen, one);
  }
  return chosen.settings.runtime;
}

ProgramSettings settings_in_force(const std::vector<Assignment>& flags,
                                  const Environment& environment) {
  try {
    ProgramSettings chosen =
        merge_settings({.given = flags, .config = {}}, environment, [](const auto&) {}).chosen;
    if (chosen.model == default_bundle()) chosen.model.clear();  // the field's sentence names it
    return chosen;
  } catch (const std::exception&) {
    return {};
  }
}

std::string config_text(const ProgramSettings& settings) {
  ProgramSettings absolute = settings;
  absolute.model = std::filesystem::absolute(settings.model).lexically_normal().string();
  return to_yaml(list_fields(absolute));
}

}  // namespace moviechat::cli
