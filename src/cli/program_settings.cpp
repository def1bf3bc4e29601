#include "cli/program_settings.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/files.h"
#include "engine/home.h"

namespace moviechat::cli {
namespace {

constexpr std::string_view kPrefix = "MOVIECHAT_";

std::string variable_of(std::string key) {
  std::string name(kPrefix);
  for (const char c : key) {
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

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

void append(std::vector<Assignment>& all, std::vector<Assignment> more) {
  for (Assignment& one : more) all.push_back(std::move(one));
}

std::map<std::string, std::string> values_of(const Settings& settings) {
  std::map<std::string, std::string> values;
  for (const FieldText& field : list_fields(settings)) values[field.key] = field.value;
  return values;
}

/// "a, b, c and 2 more".
std::string first_of(const std::vector<std::string>& names) {
  constexpr size_t kMost = 3;
  std::string text;
  for (size_t i = 0; i < std::min(kMost, names.size()); ++i) {
    text += (text.empty() ? "" : ", ") + names[i];
  }
  if (names.size() > kMost) text += " and " + std::to_string(names.size() - kMost) + " more";
  return text;
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
  std::map<std::string, std::string> key_of = {
      {"MOVIECHAT_PLAN", "plan"},
      {"MOVIECHAT_DEVICE", "runtime.device"},
      {"MOVIECHAT_MEMORY_CONSOLIDATION", "memory.consolidation"}};
  std::vector<FieldText> known;
  for (const FieldText& field : list_fields(ProgramSettings{})) {
    key_of[variable_of(field.key)] = field.key;
  }
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
    warn("the environment's " + variable + " is no setting and is ignored" +
         (near.empty() ? "" : "; did you mean " + near + "?"));
  }
  return all;
}

std::vector<Assignment> assignments_of(const Arguments& arguments) {
  std::vector<Assignment> all;
  for (const auto& [flag, value] : arguments.given) {
    if (flag->name == "--set") {
      const size_t equals = value.find('=');
      if (equals == 0 || equals == std::string::npos) {
        throw InputError("--set must be KEY=VALUE like memory.keep=3, got '" + value + "'");
      }
      all.push_back({value.substr(0, equals), value.substr(equals + 1), "--set " + value});
    } else if (flag->name == "--model") {
      all.push_back({"model", value, "--model"});
    } else if (!flag->setting.empty()) {
      all.push_back({std::string(flag->setting), flag->argument.empty() ? "true" : value,
                     std::string(flag->name)});
    }
  }
  return all;
}

MergedSettings merge_settings(const Arguments& arguments, const Environment& environment,
                              const WarningSink& warn) {
  const auto file = arguments.value("--config");
  std::vector<Assignment> config;
  if (file) config = assignments_of_yaml(read_file(*file, "config file"), *file);
  std::vector<Assignment> given = assignments_of(environment, warn);
  append(given, assignments_of(arguments));

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
    warn("'" + *file + "' overrides profile '" + named + "': " + first_of(overridden) +
         "; leave them out of the file to have the profile's");
  }
  return merged;
}

RuntimeOptions merge_runtime(const Arguments& arguments, const Environment& environment,
                             const WarningSink& warn) {
  std::vector<Assignment> given = assignments_of(environment, warn);
  append(given, assignments_of(arguments));
  ProgramSettings chosen;
  for (const Assignment& one : given) {
    if (one.key.starts_with("runtime.")) apply(chosen, one);
  }
  return chosen.settings.runtime;
}

std::string config_text(const ProgramSettings& settings) {
  ProgramSettings absolute = settings;
  absolute.model = std::filesystem::absolute(settings.model).lexically_normal().string();
  return to_yaml(list_fields(absolute));
}

}  // namespace moviechat::cli
