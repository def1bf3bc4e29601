#include "moviechat/settings.h"

#include "moviechat/error.h"

namespace moviechat {

void Settings::check() const {
  check_ranges(*this);
  memory.check();
  PlanOptions filled = plan;
  if (plan.kind == PlanKind::clips && plan.clips == 0) filled.clips = clips_that_fill_memory();
  filled.check();
  generation.check();
}

int64_t Settings::clips_that_fill_memory() const {
  const int64_t windows = memory.long_capacity / memory.keep;
  const int64_t clips = windows * memory.window() / plan.window;
  return clips > 0 ? clips : 1;
}

}  // namespace moviechat
