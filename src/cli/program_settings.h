#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/options.h"
#include "eval/evaluate.h"
#include "moviechat/bundle_spec.h"
#include "moviechat/settings_sources.h"

namespace moviechat::cli {

/// All that settings reach: the bundle, the profile that was chosen, the engine's settings, and
/// those of `eval`.
struct ProgramSettings {
  std::string model;
  std::string profile = "paper";
  Settings settings;
  eval::EvalSettings eval;
};
template <class Visitor>
void visit_fields(ProgramSettings& o, Visitor& field) {
  field("model", o.model, "the model bundle's folder");
  field("profile", o.profile, "named choices that the settings below start from");
  visit_fields(o.settings, field);
  field.group("eval", o.eval);
}

using Environment = std::map<std::string, std::string>;
/// The variables of this process whose names begin with MOVIECHAT_.
Environment moviechat_environment();

/// MOVIECHAT_GENERATION_SEED → generation.seed; MOVIECHAT_MODEL, _PROFILE, _PLAN and _DEVICE too.
/// Names that are no setting are told to `warn`.
std::vector<Assignment> assignments_of(const Environment& environment, const WarningSink& warn);

/// --set and the flags that are short for a setting, in the order in which they were given.
std::vector<Assignment> assignments_of(const Arguments& arguments);

/// built-in < bundle < profile < --config < environment < flags. InputError names the source of a
/// value that cannot be.
struct MergedSettings {
  ProgramSettings chosen;
  BundleSpec bundle;
};
MergedSettings merge_settings(const Arguments& arguments, const Environment& environment,
                              const WarningSink& warn);

/// The settings runtime.* for a command that needs no bundle: built-in < environment < flags.
RuntimeOptions merge_runtime(const Arguments& arguments, const Environment& environment,
                             const WarningSink& warn);

/// What --print-config prints: YAML that --config reads back.
std::string config_text(const ProgramSettings& settings);

}  // namespace moviechat::cli
