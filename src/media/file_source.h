#pragma once

#include <memory>
#include <string>

#include "media/film_source.h"
#include "media/frame_reader.h"

namespace moviechat {

/// A file, a pipe, or what is at standard input (/dev/stdin) → the source of a film. InputError
/// when it cannot be opened, is empty, a folder or a device.
std::shared_ptr<FilmSource> open_local(const std::string& path, const ReaderOptions& options);

}  // namespace moviechat
