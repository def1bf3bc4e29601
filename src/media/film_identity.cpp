#include "media/film_identity.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "base/files.h"
#include "moviechat/error.h"

namespace moviechat {
namespace fs = std::filesystem;
namespace {

constexpr size_t kDigits = 64;  // of a SHA-256

std::optional<struct stat> status_of(const fs::path& film) {
  struct stat status {};
  if (::stat(film.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return status;
}

std::string text_of(const timespec& time) {
  return fmt::format("{}.{}", time.tv_sec, time.tv_nsec);
}

/// What changes whenever the bytes of the file do.
std::string state_of(const struct stat& status) {
  return fmt::format("{} {} {}", status.st_size, text_of(status.st_mtim), text_of(status.st_ctim));
}

/// A file for each film, so that one is replaced whole whoever else writes.
fs::path note_of(const struct stat& status) {
  const fs::path folder = film_identity_folder();
  if (folder.empty()) return {};
  return folder / fmt::format("{}-{}", status.st_dev, status.st_ino);
}

std::optional<std::string> remembered(const struct stat& status) {
  std::ifstream note(note_of(status));
  std::string state;
  std::string sha256;
  if (!std::getline(note, state) || !std::getline(note, sha256)) return std::nullopt;
  const bool whole =
      sha256.size() == kDigits && sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  return whole && state == state_of(status) ? std::optional(sha256) : std::nullopt;
}

/// A file system counts time in steps: what has just changed may change again within the same one.
bool is_settled(const struct stat& status) {
  constexpr std::chrono::seconds kStep{2};  // FAT's, the longest
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::seconds(status.st_ctim.tv_sec) + kStep < now;
}

/// Whoever limits the size of files wants little to be written, and nothing beside the results.
bool may_write_notes() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY;
}

void remember(const struct stat& status, const std::string& sha256) {
  const fs::path note = note_of(status);
  if (note.empty() || !may_write_notes()) return;
  std::error_code ignored;
  fs::create_directories(note.parent_path(), ignored);
  try {
    write_file(note, fmt::format("{}\n{}\n", state_of(status), sha256));
  } catch (const Error&) {  // it is computed again, then
  }
}

}  // namespace

fs::path film_identity_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  fs::path cache = variable("XDG_CACHE_HOME");
  if (!cache.is_absolute()) {  // as its specification has it
    const fs::path home = variable("HOME");
    if (!home.is_absolute()) return {};
    cache = home / ".cache";
  }
  return cache / "moviechat" / "films";
}

std::optional<std::string> film_identity(const fs::path& film, const CancelFlag* cancel) {
  const auto before = status_of(film);
  if (!before) return std::nullopt;
  if (auto known = remembered(*before)) return known;
  std::string sha256 = sha256_of_file(film, cancel);
  const auto after = status_of(film);
  const bool same = after && note_of(*after) == note_of(*before) &&
                    state_of(*after) == state_of(*before) && is_settled(*after);
  if (same) remember(*after, sha256);
  return sha256;
}

}  // namespace moviechat
