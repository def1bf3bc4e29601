#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace moviechat {

/// The whole of a regular file. InputError names `what` ("question file", "bundle part") when it
/// cannot be read.
std::string read_file(const std::filesystem::path& path, std::string_view what);

/// Standard input up to its end, whatever it comes from.
std::string read_stdin(std::string_view what);

/// Writes a file whole or not at all: a temporary file beside it, fsync, rename. Error when the
/// disk is full.
void write_file(const std::filesystem::path& path, std::string_view contents);

/// The name of a new file is on the disk when its folder is. What cannot be synced is left.
void sync_folder(const std::filesystem::path& folder);

/// For one process alone, or for any number that only read.
enum class Lock { exclusive, shared };

/// Takes an open file until it is closed. False when another process has it in a way that does not
/// go with `lock`. InputError where the file system has no locks.
bool try_lock(int descriptor, const std::filesystem::path& path, Lock lock = Lock::exclusive);

/// Lower-case hexadecimal SHA-256 of a file's contents.
std::string sha256_of_file(const std::filesystem::path& path);

/// Lower-case hexadecimal SHA-256 of bytes.
std::string sha256(std::string_view bytes);

}  // namespace moviechat
