#include "support_for_tests/raw_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "moviechat/error.h"

namespace moviechat::testing {
namespace {

constexpr int kGlanceMilliseconds = 20;

bool is_ready(int socket, short event) {
  pollfd waiting{socket, event, 0};
  return ::poll(&waiting, 1, kGlanceMilliseconds) > 0;
}

}  // namespace

RawServer::RawServer(Answer answer) : answer_(std::move(answer)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, any, size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, any, &size) != 0) {
    throw Error("cannot listen on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

RawServer::~RawServer() {
  stopped_ = true;
  thread_.join();
  ::close(listener_);
}

std::vector<std::string> RawServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void RawServer::pause(double seconds) const {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (!stopped_ && Clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

void RawServer::serve() {
  while (!stopped_) {
    if (!is_ready(listener_, POLLIN)) continue;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0) continue;
    serve_one(connection);
    ::close(connection);
  }
}

void RawServer::serve_one(int connection) {
  std::string request;
  const auto is_whole = [&] {
    const size_t head = request.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const size_t length = request.find("Content-Length: ");
    const size_t body = length < head ? std::stoul(request.substr(length + 16)) : 0;
    return request.size() >= head + 4 + body;
  };
  std::array<char, 4096> buffer{};
  while (!is_whole()) {
    if (stopped_) return;
    if (!is_ready(connection, POLLIN)) continue;
    const ssize_t count = ::recv(connection, buffer.data(), buffer.size(), 0);
    if (count <= 0) return;
    request.append(buffer.data(), static_cast<size_t>(count));
  }
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  answer_(request, [&](const std::string& bytes) {
    for (size_t sent = 0; sent < bytes.size();) {
      if (stopped_) return false;
      if (!is_ready(connection, POLLOUT)) continue;
      const ssize_t count =
          ::send(connection, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<size_t>(count);
    }
    return !stopped_.load();
  });
}

std::string http_reply(const std::string& body, const std::string& status) {
  return "HTTP/1.1 " + status +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

}  // namespace moviechat::testing
