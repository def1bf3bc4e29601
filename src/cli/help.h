#pragma once

#include <string>
#include <string_view>

#include "cli/commands.h"

namespace moviechat::cli {

/// What the program prints for --help: of the program when no command is named, else of that
/// command.
std::string help_text(const Command& command, bool named);

/// "moviechat 0.1.0 (libtorch …, FFmpeg …)".
std::string version_text();

/// A setting's built-in value as text, "" where a flag is short for none.
std::string default_of(const Flag& flag);

/// Text broken into lines of at most `width` columns, each begun with `indent` spaces but the
/// first.
std::string wrapped(std::string_view text, size_t indent, size_t width = 98);

}  // namespace moviechat::cli
