#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "moviechat/bundle_spec.h"
#include "moviechat/fields.h"
#include "moviechat/options.h"
#include "moviechat/sampling_plan.h"
#include "moviechat/video.h"

namespace moviechat {

/// Every choice of a run, by dotted name (memory.keep, plan.kind, …).
struct Settings {
  MemoryOptions memory;
  PlanOptions plan;
  GenerationOptions generation;
  ReaderOptions video;
  RuntimeOptions runtime;

  /// InputError names the first setting, or pair of settings, that cannot be.
  void check() const;
  /// Clips of a plan that fills long-term memory exactly: (L/m)·((K−m)/w). Results table of the
  /// paper: 256 of 8 frames.
  int64_t clips_that_fill_memory() const;
};
template <class Visitor>
void visit_fields(Settings& o, Visitor& field) {
  field.group("memory", o.memory);
  field.group("plan", o.plan);
  field.group("generation", o.generation);
  field.group("video", o.video);
  field.group("runtime", o.runtime);
}

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
