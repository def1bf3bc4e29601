#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "moviechat/result.h"
#include "moviechat/settings.h"
#include "moviechat/video.h"

namespace moviechat {

/// A run, and what a reader of its results may ask about it.
struct RunReport {
  std::string version;  // of the program
  std::string bundle_name;
  std::string bundle_sha256;
  std::string profile;
  Settings settings;
  std::string video;                  // as given
  std::optional<TimesFrom> features;  // it is a file of features, their times found there
  bool evidence = false;
  RunResult run;
  int64_t peak_memory_bytes = 0;
};

/// One object; the keys are promised to other programs.
nlohmann::ordered_json report_json(const RunReport& report);

/// Parts of it that stand elsewhere, too.
nlohmann::ordered_json answer_json(const Answer& answer, bool evidence);
nlohmann::ordered_json plan_json(const PlanOptions& options, const SamplingPlan& plan);

}  // namespace moviechat
