#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "moviechat/callbacks.h"

namespace moviechat {

/// Identity of a film, whatever its name is and wherever it lies: the SHA-256 of its bytes in
/// lower-case hexadecimal. nullopt for what is no regular file (a pipe, an address).
///
/// Computed once, which reads the whole file; then remembered in the user's cache folder by device,
/// inode, size, mtime and ctime: from then on it costs a look at a small file. Where the cache
/// cannot be written nothing is remembered. Any number of threads and processes may ask at a time.
/// InputError when the film cannot be read; Cancelled when `cancel` is set meanwhile.
std::optional<std::string> film_identity(const std::filesystem::path& film,
                                         const CancelFlag* cancel = nullptr);

/// Folder in which identities are remembered: $XDG_CACHE_HOME/moviechat/films, else ~/.cache/…; ""
/// without either.
std::filesystem::path film_identity_folder();

}  // namespace moviechat
