#pragma once

#include <string>
#include <vector>

#include "moviechat/bundle_spec.h"
#include "moviechat/settings.h"

namespace moviechat {

// Settings come from named sources, each stronger than those before it: built-in < bundle < profile
// < configuration file < environment < command line.

/// One setting as somebody gave it.
struct Assignment {
  std::string key;  // dotted name; "plan" takes a shorthand: see parse_plan()
  std::string text;
  std::string origin;  // "'my.yaml'", "MOVIECHAT_MODEL", "--seed": for errors; "" names none
};

/// The leaves of a YAML file, whose name errors say.
std::vector<Assignment> assignments_of_yaml(const std::string& yaml, const std::string& file);

/// Settings of a bundle's model.yaml.
std::vector<Assignment> defaults_of(const BundleSpec& bundle);

/// Settings of a profile: the bundle's own profiles/NAME.yaml, else configs/NAME.yaml. InputError
/// lists the profiles there are.
std::vector<Assignment> read_profile(const std::string& name, const BundleSpec& bundle);

/// Sets one value of options that hold a plan. InputError names where it comes from.
template <class Options>
void apply(Options& options, PlanOptions& plan, const Assignment& one) {
  try {
    if (one.key == "plan") {
      plan = parse_plan(one.text, plan);
    } else {
      set_field(options, one.key, one.text);
    }
  } catch (const InputError& error) {
    throw InputError((one.origin.empty() ? "" : one.origin + ": ") + error.what());
  }
}

/// Built-in < bundle < profile < `given`, in their order. `profile` "": none.
Settings merge_settings(const BundleSpec& bundle, const std::string& profile,
                        const std::vector<Assignment>& given);

}  // namespace moviechat
