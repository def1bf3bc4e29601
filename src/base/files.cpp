#include "base/files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/descriptor.h"
#include "base/free_by.h"
#include "base/message.h"
#include "base/text.h"

namespace moviechat {
namespace {

std::string reason() { return std::strerror(errno); }

Descriptor open_for_reading(const std::filesystem::path& path, std::string_view what) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    throw input_error("cannot read {} {}: {}", what, quoted(path), reason());
  }
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISDIR(status.st_mode)) {
    throw input_error("{} {} is a folder, expected a file", what, quoted(path));
  }
  return file;
}

template <class Consume>
void for_each_piece(const Descriptor& file, const std::filesystem::path& path,
                    std::string_view what, Consume consume) {
  std::string buffer(1 << 20, '\0');
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {  // a pipe that does not wait by itself
      pollfd empty{file.get(), POLLIN, 0};
      ::poll(&empty, 1, /*timeout=*/-1);
      continue;
    }
    if (count < 0) {
      throw input_error("cannot read {} {}: {}", what, quoted(path), reason());
    }
    if (count == 0) return;
    consume(std::string_view(buffer.data(), static_cast<size_t>(count)));
  }
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    return in_hexadecimal({reinterpret_cast<const char*>(digest.data()), size});
  }

 private:
  std::unique_ptr<EVP_MD_CTX, FreeBy<EVP_MD_CTX_free>> context_;
};

}  // namespace

std::string quoted(const std::filesystem::path& path) { return fmt::format("'{}'", path.string()); }

std::string read_file(const std::filesystem::path& path, std::string_view what) {
  std::string contents;
  const Descriptor file = open_for_reading(path, what);
  for_each_piece(file, path, what, [&](std::string_view piece) { contents += piece; });
  return contents;
}

std::string read_stdin(std::string_view what) {
  std::string contents;
  const Descriptor file(::dup(STDIN_FILENO));  // a socket cannot be opened as /dev/stdin
  for_each_piece(file, "stdin", what, [&](std::string_view piece) { contents += piece; });
  return contents;
}

int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd full{descriptor, POLLOUT, 0};
      ::poll(&full, 1, /*timeout=*/-1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

std::string reason_of_write(int error) {
  rlimit limit{};
  if (error == EFBIG && ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    return fmt::format("files may have {} bytes here (ulimit -f)", limit.rlim_cur);
  }
  return std::strerror(error);
}

void refuse_files_of_others(const std::filesystem::path& folder,
                            const std::vector<std::string>& names, std::string_view mark) {
  for (const std::string& name : names) {
    std::error_code ignored;
    const auto found = std::filesystem::symlink_status(folder / name, ignored);
    // no file can take the place of a folder
    if (!std::filesystem::exists(found) || std::filesystem::is_directory(found)) continue;
    throw input_error("{} holds {} without {}; give another --out", quoted(folder), name, mark);
  }
}

void write_file(const std::filesystem::path& path, std::string_view contents) {
  std::string temporary =
      (path.parent_path() / ("." + path.filename().string())).string() + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  const auto fail = [&] {
    const std::string why = reason_of_write(errno);
    ::unlink(temporary.c_str());
    throw Error(fmt::format("cannot write {}: {}; nothing was written", quoted(path), why));
  };
  if (file.get() < 0) fail();
  ::fchmod(file.get(), 0644);
  if (const int error = write_all(file.get(), contents); error != 0) {
    errno = error;
    fail();
  }
  if (::fsync(file.get()) != 0) fail();
  if (::close(file.release()) != 0) fail();
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail();
  sync_folder(path.parent_path());
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor file(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() >= 0) ::fsync(file.get());
}

bool try_lock(int descriptor, const std::filesystem::path& path, Lock lock) {
  const int kind = lock == Lock::exclusive ? LOCK_EX : LOCK_SH;
  if (::flock(descriptor, kind | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  throw input_error(
      "cannot lock {}: {}; put it on a file system with locks (Lustre: one mounted with -o flock)",
      quoted(path), reason());
}

std::string sha256_of_file(const std::filesystem::path& path, const CancelFlag* cancel) {
  Sha256 hash;
  const Descriptor file = open_for_reading(path, "file");
  for_each_piece(file, path, "file", [&](std::string_view piece) {
    if (cancel != nullptr) cancel->check();
    hash.add(piece);
  });
  return hash.hex();
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

}  // namespace moviechat
