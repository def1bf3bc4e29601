#include "cli/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace moviechat::cli {
namespace {

// What a handler touches: lock-free, set before the handlers are installed.
std::atomic<CancelFlag*> g_cancel{nullptr};
std::atomic<int> g_signal{0};
std::atomic<bool> g_have_timer{false};
timer_t g_timer;

constexpr long kGraceNanoseconds = 700'000'000;

void on_signal(int number) {
  if (g_signal.exchange(number) != 0) _exit(128 + number);  // asked twice
  if (CancelFlag* cancel = g_cancel.load()) cancel->cancel();
  if (!g_have_timer.load()) return;
  itimerspec grace{};
  grace.it_value.tv_nsec = kGraceNanoseconds;
  timer_settime(g_timer, 0, &grace, nullptr);
}

/// One step of a model can be longer than anybody waits after Ctrl-C. Files are written under
/// temporary names, so nothing half-written has a real one.
void on_grace_over(int /*number*/) { _exit(128 + g_signal.load()); }

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

/// Whoever starts us (nohup, a script's background) may have chosen to ignore a signal.
void handle_unless_ignored(int number, void (*handler)(int)) {
  struct sigaction inherited {};
  const bool known = sigaction(number, nullptr, &inherited) == 0;
  if (!known || inherited.sa_handler != SIG_IGN) handle(number, handler);
}

}  // namespace

void catch_signals(CancelFlag& cancel) {
  g_cancel.store(&cancel);
  handle(SIGALRM, on_grace_over);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  g_have_timer.store(timer_create(CLOCK_MONOTONIC, &event, &g_timer) == 0);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) handle_unless_ignored(number, on_signal);
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);
}

int exit_code_of_signal() {
  const int number = g_signal.load();
  return number == 0 ? 0 : 128 + number;
}

void reserve_standard_streams() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // The lowest free number is this one. stdout is opened for reading: writes to it still fail.
    [[maybe_unused]] const int opened =
        ::open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace moviechat::cli
