#include "media/pipe_transfer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/message.h"

namespace moviechat {
namespace {

constexpr int kPollMilliseconds = 100;  // between looks at the cancel flag
constexpr std::chrono::seconds kWaitForWriter(10);

}  // namespace

PipeTransfer::PipeTransfer(Descriptor file, std::string name, const CancelFlag* cancel,
                           bool wait_for_writer)
    : file_(std::move(file)),
      name_(std::move(name)),
      cancel_(cancel),
      wait_for_writer_(wait_for_writer) {}

size_t PipeTransfer::read(std::span<uint8_t> room) {
  const auto deadline = std::chrono::steady_clock::now() + kWaitForWriter;
  while (true) {
    if (cancel_ != nullptr) cancel_->check();
    pollfd waiting = {.fd = file_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kPollMilliseconds) == 0) {
      if (!wait_for_writer_) continue;
    } else if (waiting.revents == 0) {
      continue;  // interrupted
    }
    const ssize_t got = ::read(file_.get(), room.data(), room.size());
    if (got > 0) {
      wait_for_writer_ = false;
      return static_cast<size_t>(got);
    }
    if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (errno != EINTR) wait_for_writer_ = false;  // there is one, who has not written yet
      continue;
    }
    if (got < 0) {
      failure_ = std::strerror(errno);
      return 0;
    }
    if (!wait_for_writer_) return 0;
    if (std::chrono::steady_clock::now() >= deadline) {
      throw input_error(
          "video '{}' is a pipe that nobody has written to for {} s; start what writes the film",
          name_, kWaitForWriter.count());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace moviechat
