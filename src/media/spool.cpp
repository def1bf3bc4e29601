#include "media/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>

namespace moviechat {
namespace {

std::string temporary_folder() {
  const char* named = std::getenv("TMPDIR");
  return named != nullptr && *named != '\0' ? named : "/tmp";
}

}  // namespace

bool Spool::fail(Failure kind, std::string why) {
  close();
  kind_ = kind;
  failure_ = std::move(why);
  return false;
}

bool Spool::make_file() {
  const std::string folder = temporary_folder();
  file_ = Descriptor(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file_.get() >= 0) return true;
  std::string name = folder + "/moviechat.XXXXXX";  // where the file system knows no nameless ones
  file_ = Descriptor(::mkostemp(name.data(), O_CLOEXEC));
  if (file_.get() < 0) {
    return fail(
        Failure::disk,
        fmt::format("no file can be made in '{}' ({}); set TMPDIR to a folder for temporary files",
                    folder, std::strerror(errno)));
  }
  ::unlink(name.c_str());
  return true;
}

bool Spool::put(int64_t offset, std::span<const uint8_t> bytes) {
  if (!open()) return false;
  if (bytes_ + std::ssize(bytes) > most_) {
    return fail(Failure::limit,
                fmt::format("it is larger than video.spool allows ({} bytes); raise it", most_));
  }
  if (file_.get() < 0 && !make_file()) return false;
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::pwrite(file_.get(), bytes.data() + done, bytes.size() - done,
                                   offset + static_cast<int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return fail(
          Failure::disk,
          fmt::format("it cannot be kept in '{}' ({}); free room, or set TMPDIR to a larger folder",
                      temporary_folder(), std::strerror(count < 0 ? errno : ENOSPC)));
    }
    done += static_cast<size_t>(count);
  }
  int64_t begin = offset;
  int64_t end = offset + std::ssize(bytes);
  auto next = parts_.upper_bound(end);
  while (next != parts_.begin() && std::prev(next)->second >= begin) {
    --next;
    begin = std::min(begin, next->first);
    end = std::max(end, next->second);
    bytes_ -= next->second - next->first;
    next = parts_.erase(next);
  }
  parts_.emplace(begin, end);
  bytes_ += end - begin;
  return true;
}

size_t Spool::get(int64_t offset, std::span<uint8_t> room) const {
  auto part = parts_.upper_bound(offset);
  if (part == parts_.begin()) return 0;
  --part;
  if (part->second <= offset) return 0;
  const auto wanted = std::min<size_t>(room.size(), static_cast<size_t>(part->second - offset));
  return static_cast<size_t>(std::max<int64_t>(0, read_at(file_, offset, room.first(wanted))));
}

void Spool::close() {
  most_ = 0;
  bytes_ = 0;
  parts_.clear();
  file_ = Descriptor(-1);
}

}  // namespace moviechat
