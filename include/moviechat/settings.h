#pragma once

#include <cstdint>

#include "moviechat/fields.h"
#include "moviechat/generation_options.h"
#include "moviechat/memory_options.h"
#include "moviechat/runtime_options.h"
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

}  // namespace moviechat
