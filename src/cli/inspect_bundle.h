#pragma once

#include <string>

#include "cli/program_settings.h"
#include "cli/report.h"

namespace moviechat::cli {

/// Loads and checks a bundle → what it is made of and what it needs, as text or JSON.
std::string inspect_bundle(const MergedSettings& merged, Format format);

}  // namespace moviechat::cli
