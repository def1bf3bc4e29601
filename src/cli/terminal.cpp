#include "cli/terminal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace moviechat::cli {
namespace {

constexpr auto kBarInterval = std::chrono::milliseconds(100);
constexpr auto kFirstLine = std::chrono::seconds(10);
constexpr auto kLineInterval = std::chrono::seconds(10);

/// 0 when all was written, else errno.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return 0;
}

std::string amount(const Progress& progress) {
  std::string text = std::to_string(progress.done);
  if (progress.total > 0) text += "/" + std::to_string(progress.total);
  return text + " " + std::string(progress.unit);
}

std::string bar(const Progress& progress) {
  constexpr int64_t kWidth = 30;
  std::string text = "\r\033[K" + std::string(progress.stage) + "  ";
  if (progress.total > 0) {
    const int64_t full = kWidth * std::min(progress.done, progress.total) / progress.total;
    text += "[" + std::string(static_cast<size_t>(full), '#') +
            std::string(static_cast<size_t>(kWidth - full), '.') + "]  ";
  }
  return text + amount(progress);
}

}  // namespace

Messages::Messages(LogLevel level)
    : level_(level),
      terminal_(::isatty(STDERR_FILENO) == 1),
      next_progress_(Clock::now() + (terminal_ ? kBarInterval : kFirstLine)) {}

Messages::~Messages() { clear_bar(); }

void Messages::say(LogLevel level, std::string_view kind, std::string_view line) {
  if (level > level_) return;
  const std::lock_guard lock(mutex_);
  write_clear();
  write_all(STDERR_FILENO, "moviechat: " + std::string(kind) + one_line(line) + "\n");
}

void Messages::progress(const Progress& progress) {
  if (LogLevel::info > level_) return;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (progress_over_ || now < next_progress_) return;
  next_progress_ = now + (terminal_ ? Clock::duration(kBarInterval) : kLineInterval);
  if (terminal_) {
    bar_shown_ = true;
    write_all(STDERR_FILENO, bar(progress));
  } else {
    write_all(STDERR_FILENO,
              "moviechat: " + std::string(progress.stage) + ": " + amount(progress) + "\n");
  }
}

void Messages::clear_bar() {
  const std::lock_guard lock(mutex_);
  write_clear();
}

void Messages::end_progress() {
  const std::lock_guard lock(mutex_);
  write_clear();
  progress_over_ = true;
}

void Messages::write_clear() {
  if (!bar_shown_) return;
  bar_shown_ = false;
  write_all(STDERR_FILENO, "\r\033[K");
}

Results::Results() : terminal_(::isatty(STDOUT_FILENO) == 1) {
  const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
    throw Error("cannot write results: standard output is closed; redirect it to a file or a pipe");
  }
}

void Results::write(std::string_view text) {
  if (const int error = write_all(STDOUT_FILENO, text); error != 0) {
    throw Error("cannot write results to standard output: " + std::string(std::strerror(error)));
  }
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace moviechat::cli
