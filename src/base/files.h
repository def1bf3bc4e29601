#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "moviechat/callbacks.h"

namespace moviechat {

/// A path as messages name it: 'films/1.mp4'.
std::string quoted(const std::filesystem::path& path);

/// The whole of a regular file. InputError names `what` ("question file", "bundle part") when it
/// cannot be read.
std::string read_file(const std::filesystem::path& path, std::string_view what);

/// Standard input up to its end, whatever it comes from.
std::string read_stdin(std::string_view what);

/// Writes all of `text`, and waits where the descriptor does not. 0, or errno of what failed.
int write_all(int descriptor, std::string_view text);

/// Reason why writing failed, in words; a limit on the size of files is named with its value.
std::string reason_of_write(int error);

/// Check before `names` are written into `folder`: InputError when one of them is there without
/// `mark`, which tells files of this program.
void refuse_files_of_others(const std::filesystem::path& folder,
                            const std::vector<std::string>& names, std::string_view mark);

/// Writes a file whole or not at all: a temporary file beside it, fsync, rename. Error when the
/// disk is full.
void write_file(const std::filesystem::path& path, std::string_view contents);

/// Syncs a folder, so that names of new files are on the disk. Ignores folders that cannot be
/// synced.
void sync_folder(const std::filesystem::path& folder);

/// Lock for one process alone, or shared by any number that only read.
enum class Lock { exclusive, shared };

/// Locks an open file until it is closed. False when another process has it in a way that does not
/// go with `lock`. InputError where the file system has no locks.
bool try_lock(int descriptor, const std::filesystem::path& path, Lock lock = Lock::exclusive);

/// Lower-case hexadecimal SHA-256 of a file's contents. Throws Cancelled when `cancel` is set.
std::string sha256_of_file(const std::filesystem::path& path, const CancelFlag* cancel = nullptr);

/// Lower-case hexadecimal SHA-256 of bytes.
std::string sha256(std::string_view bytes);

}  // namespace moviechat
