#pragma once

#include <filesystem>

#include "base/descriptor.h"
#include "base/files.h"

namespace moviechat::eval {

/// Holds a folder until what is returned is destroyed or the process ends, however it ends.
/// Exclusive: for one process, which writes; makes the folder. Shared: keeps others from writing
/// while it is read, which need not be ours; nothing is held where nobody has ever locked it.
/// InputError when another process holds it.
Descriptor lock_folder(const std::filesystem::path& folder, Lock lock = Lock::exclusive);

}  // namespace moviechat::eval
