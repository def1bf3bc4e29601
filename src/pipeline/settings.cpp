#include "moviechat/pipeline/settings.h"

#include "moviechat/support/error.h"

namespace moviechat {

void RuntimeOptions::check() const {
  if (threads < 0 || threads > 1024) {
    throw InputError("runtime.threads must be 0 (one per core) to 1024, got " +
                     std::to_string(threads));
  }
  if (batch < 1 || batch > 4096) {
    throw InputError("runtime.batch must be 1 to 4096, got " + std::to_string(batch));
  }
  if (answers < 1 || answers > 4096) {
    throw InputError("runtime.answers must be 1 to 4096, got " + std::to_string(answers));
  }
}

void Settings::check() const {
  memory.check();
  PlanOptions filled = plan;
  if (plan.kind == PlanKind::clips && plan.clips == 0) filled.clips = clips_that_fill_memory();
  filled.check();
  generation.check();
  runtime.check();
}

int64_t Settings::clips_that_fill_memory() const {
  const int64_t windows = memory.long_capacity / memory.keep;
  const int64_t clips = windows * memory.window() / plan.window;
  return clips > 0 ? clips : 1;
}

}  // namespace moviechat
