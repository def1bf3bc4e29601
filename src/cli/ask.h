#pragma once

#include <optional>
#include <vector>

#include "cli/options.h"
#include "cli/program_settings.h"
#include "cli/report.h"
#include "cli/terminal.h"

namespace moviechat::cli {

/// What `ask` does, read from a command line.
struct AskOptions {
  MergedSettings merged;
  std::string video;                      // the film, or the features in its place; may be ""
  std::optional<FeatureTiming> features;  // they are features
  std::vector<Question> questions;
  Format format = Format::text;
  bool evidence = false;
  bool print_config = false;

  bool reads_film() const { return merged.chosen.settings.plan.kind != PlanKind::none; }
};

/// InputError for what contradicts itself or is missing.
AskOptions read_ask(const Arguments& arguments, const Environment& environment, Messages& messages);

/// Answers on stdout once all are there; a single answer on a terminal as it is made, and those
/// about moments of a film that is read as it comes while it runs.
void run_ask(const AskOptions& options, Messages& messages, const CancelFlag& cancel);

}  // namespace moviechat::cli
