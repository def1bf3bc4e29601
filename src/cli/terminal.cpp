#include "cli/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/files.h"
#include "base/text.h"

namespace moviechat::cli {
namespace {

constexpr size_t kLongestMessage = 6000;  // bytes: a path may have 4096
constexpr auto kBarInterval = std::chrono::milliseconds(100);
constexpr auto kFirstLine = std::chrono::seconds(10);
constexpr auto kLineInterval = std::chrono::seconds(10);

std::string amount(const Progress& progress) {
  if (progress.total == 0) return fmt::format("{} {}", progress.done, progress.unit);
  return fmt::format("{}/{} {}", progress.done, progress.total, progress.unit);
}

/// True when stderr is a terminal on which a line can be written over.
bool can_rewrite_lines() {
  const char* kind = std::getenv("TERM");
  const std::string_view name = kind == nullptr ? "" : kind;
  return ::isatty(STDERR_FILENO) == 1 && !name.empty() && name != "dumb";
}

int64_t columns() {
  constexpr int64_t kUsual = 80;
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsual;
}

/// A line that fits on the terminal, so that it can be written over: its parts are ASCII.
std::string bar(const Progress& progress) {
  constexpr int64_t kWidest = 30;
  constexpr int64_t kNarrowest = 5;
  const std::string stage(progress.stage);
  const std::string done = amount(progress);
  const int64_t room = std::max<int64_t>(columns() - 1, 1);
  const int64_t width = std::min(kWidest, room - std::ssize(stage + "  []  " + done));
  std::string text = stage + "  ";
  if (progress.total > 0 && width >= kNarrowest) {
    const int64_t full = width * std::min(progress.done, progress.total) / progress.total;
    text += "[" + std::string(static_cast<size_t>(full), '#') +
            std::string(static_cast<size_t>(width - full), '.') + "]  ";
  }
  text += done;
  return "\r\033[K" + text.substr(0, static_cast<size_t>(room));
}

}  // namespace

Messages::Messages(LogLevel level)
    : level_(level),
      terminal_(can_rewrite_lines()),
      next_progress_(Clock::now() + (terminal_ ? kBarInterval : kFirstLine)) {}

Messages::~Messages() { clear_bar(); }

void Messages::say(LogLevel level, std::string_view kind, std::string_view line) {
  if (level > level_) return;
  const std::lock_guard lock(mutex_);
  write_clear();
  write_all(STDERR_FILENO,
            fmt::format("moviechat: {}{}\n", kind, shortened(one_line(line), kLongestMessage)));
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
    write_all(STDERR_FILENO, fmt::format("moviechat: {}: {}\n", progress.stage, amount(progress)));
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

Callbacks callbacks_of(Messages& messages, const CancelFlag& cancel) {
  Callbacks callbacks;
  callbacks.warn = [&](const std::string& line) { messages.warn(line); };
  callbacks.progress = [&](const Progress& progress) { messages.progress(progress); };
  callbacks.cancel = &cancel;
  return callbacks;
}

Results::Results() : terminal_(::isatty(STDOUT_FILENO) == 1) {
  const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
    throw Error("cannot write results: standard output is closed; redirect it to a file or a pipe");
  }
}

void Results::write(std::string_view text) {
  if (const int error = write_all(STDOUT_FILENO, terminal_ ? harmless_lines(text) : text);
      error != 0) {
    throw Error("cannot write results to standard output: " + reason_of_write(error));
  }
}

}  // namespace moviechat::cli
