#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "base/text.h"
#include "moviechat/engine.h"
#include "moviechat/fields.h"

namespace moviechat::cli {

enum class LogLevel { error, warn, info, debug };

/// stderr: errors, warnings, progress and timings, as much of it as the level lets through.
/// Progress is a bar on a terminal that can write over a line; elsewhere a plain line now and then,
/// none for work of a few seconds. Any thread may call.
class Messages {
 public:
  explicit Messages(LogLevel level);
  ~Messages();  // takes the bar away

  void error(std::string_view line) { say(LogLevel::error, "error: ", line); }
  void warn(std::string_view line) { say(LogLevel::warn, "warning: ", line); }
  void info(std::string_view line) { say(LogLevel::info, "", line); }
  void debug(std::string_view line) { say(LogLevel::debug, "", line); }
  void progress(const Progress& progress);
  void clear_bar();
  /// Takes the bar away for good: results are being written on the same terminal.
  void end_progress();

 private:
  void say(LogLevel level, std::string_view kind, std::string_view line);
  void write_clear();

  using Clock = std::chrono::steady_clock;
  std::mutex mutex_;
  LogLevel level_;
  bool terminal_;
  bool bar_shown_ = false;
  bool progress_over_ = false;
  Clock::time_point next_progress_;
};

/// Callbacks of an engine that tell `messages` of warnings and progress; both outlive them.
Callbacks callbacks_of(Messages& messages, const CancelFlag& cancel);

/// stdout: results only. On a terminal, text from elsewhere steers nothing. What cannot be written
/// (full disk, closed pipe) is an Error.
class Results {
 public:
  /// Error when stdout is closed.
  Results();

  bool is_terminal() const { return terminal_; }
  void write(std::string_view text);

 private:
  bool terminal_ = false;
};

}  // namespace moviechat::cli

namespace moviechat {
template <>
struct EnumNames<cli::LogLevel> {
  static constexpr std::array values{std::pair{std::string_view("error"), cli::LogLevel::error},
                                     std::pair{std::string_view("warn"), cli::LogLevel::warn},
                                     std::pair{std::string_view("info"), cli::LogLevel::info},
                                     std::pair{std::string_view("debug"), cli::LogLevel::debug}};
};
}  // namespace moviechat
