#pragma once

#include "cli/program_settings.h"
#include "moviechat/model/bundle.h"

namespace moviechat::cli {

/// Loads the bundle that was chosen, on the device and in the dtype of the settings, and checks it.
Bundle load_bundle(const MergedSettings& merged);

}  // namespace moviechat::cli
