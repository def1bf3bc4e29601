#include "base/line_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/files.h"
#include "base/message.h"

namespace moviechat {
namespace {

/// Whether `rest` is what a crash left of a record: a beginning of one without a line end. A
/// machine that lost power may have kept a file's length and not its contents, which are zeros
/// then; zeros alone do not tell whose a file without any record is.
bool is_torn(std::string_view rest, std::string_view begin, bool first) {
  const size_t zeros = rest.find('\0');
  const bool ends = rest.ends_with('\n');
  if (ends && zeros == std::string_view::npos) return false;
  if (ends) rest.remove_suffix(1);
  const std::string_view kept = rest.substr(0, zeros);
  return !(first && kept.empty()) &&
         rest.find_first_not_of('\0', kept.size()) == std::string_view::npos &&
         kept.find('\n') == std::string_view::npos &&
         (kept.starts_with(begin) || begin.starts_with(kept));
}

}  // namespace

LineFile::LineFile(std::filesystem::path path, std::string_view what, std::string_view begin,
                   const Take& take)
    : path_(std::move(path)),
      // without waiting for somebody at the other end of a pipe
      file_(::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644)) {
  const std::string name = fmt::format("{} '{}'", what, path_.string());
  if (file_.get() < 0) throw input_error("cannot open {}: {}", name, std::strerror(errno));
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw InputError(name + " is no regular file; give another one");
  }
  if (!try_lock(file_.get(), path_)) {
    throw InputError(name + " is in use by another run; wait for its end");
  }
  take_lines(what, begin, take);
  sync_folder(path_.parent_path());
}

void LineFile::take_lines(std::string_view what, std::string_view begin, const Take& take) {
  const std::string contents = read_file(path_, what);
  int64_t number = 0;
  for (std::string_view rest = contents; !rest.empty();) {
    ++number;
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    const bool may_be_torn =
        end == std::string_view::npos || line.find('\0') != std::string_view::npos;
    if (may_be_torn && is_torn(rest, begin, number == 1)) {
      if (::ftruncate(file_.get(), static_cast<off_t>(contents.size() - rest.size())) == 0) return;
      throw Error(fmt::format("cannot cut the unfinished line off '{}': {}", path_.string(),
                              std::strerror(errno)));
    }
    if (end == std::string_view::npos) {
      throw input_error("{} '{}' line {} is not ours; the file is left as it is, give another one",
                        what, path_.string(), number);
    }
    take(number, line);
    rest.remove_prefix(end + 1);
  }
}

void LineFile::add(std::string_view line) {
  const std::string whole = std::string(line) + '\n';
  const off_t before = ::lseek(file_.get(), 0, SEEK_END);
  int error = write_all(file_.get(), whole);
  if (error == 0 && ::fdatasync(file_.get()) != 0) error = errno;
  if (error == 0) return;
  if (::ftruncate(file_.get(), before) != 0) {  // the next opening cuts the torn line off
  }
  throw Error(fmt::format("cannot write '{}': {}; what was written before is kept", path_.string(),
                          reason_of_write(error)));
}

}  // namespace moviechat
