#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "eval/evaluate.h"
#include "moviechat/bundle_spec.h"
#include "moviechat/settings.h"

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
  field("model", o.model,
        "the model bundle's folder; trust it like a program. Default: the mini bundle that came "
        "with the program");
  field("profile", o.profile,
        "the choices of the paper, of the authors' released code, uniform sampling without a "
        "memory, or no film at all (text)");
  visit_fields(o.settings, field);
  field.group("eval", o.eval);
}

/// What a command line says of settings.
struct SettingsGiven {
  std::vector<Assignment> given;  // in the order of the command line
  std::optional<std::string> config;
  bool print_config = false;
};

using Environment = std::map<std::string, std::string>;
/// The variables of this process whose names begin with MOVIECHAT_.
Environment moviechat_environment();

/// MOVIECHAT_GENERATION_SEED → generation.seed; MOVIECHAT_PLAN and MOVIECHAT_DEVICE too. Names that
/// are no setting are told to `warn`.
std::vector<Assignment> assignments_of(const Environment& environment, const WarningSink& warn);

/// built-in < bundle < profile < --config < environment < flags. InputError names the source of a
/// value that cannot be.
struct MergedSettings {
  ProgramSettings chosen;
  BundleSpec bundle;
};
MergedSettings merge_settings(const SettingsGiven& flags, const Environment& environment,
                              const WarningSink& warn);

/// The settings runtime.* for a command that needs no bundle: built-in < environment < flags.
RuntimeOptions merge_runtime(const std::vector<Assignment>& flags, const Environment& environment,
                             const WarningSink& warn);

/// The settings with the bundle that would be used, which --model may name; those built in where it
/// cannot be read.
ProgramSettings settings_in_force(const std::vector<Assignment>& flags,
                                  const Environment& environment);

/// What --print-config prints: YAML that --config reads back.
std::string config_text(const ProgramSettings& settings);

}  // namespace moviechat::cli
