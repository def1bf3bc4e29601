#pragma once

#include "bundle/bundle.h"

namespace moviechat {

/// CPU threads to compute with: as many as asked for; else 1 for a bundle whose threads would wait
/// for each other longer than they save, and 0, one a core, for others.
int64_t threads_for(const RuntimeOptions& runtime, const BundleSpec& bundle);

/// OutOfResources when a limit of address space leaves too little for a run with this bundle:
/// libraries that run out of it hang or crash.
void check_address_space(const BundleSpec& bundle);

/// Loads a bundle on the device and in the dtype of the settings, and checks it.
/// From then on the process computes with its threads.
Bundle load_bundle(const BundleSpec& bundle, const RuntimeOptions& runtime);

}  // namespace moviechat
