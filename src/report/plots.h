#pragma once

#include <string>

#include "report/report.h"

namespace moviechat::judge {

/// Every series as a figure of inline SVG: a dot and its interval for each group, of both runs
/// where there are two; and how often a judge gave each score.
std::string plots_html(const ScoreReport& report);

}  // namespace moviechat::judge
