#include "media/film_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace moviechat::testing {

bool FilmServer::Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (over_) return false;
    pollfd ready = {.fd = socket_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, 50) <= 0) continue;
    const ssize_t sent =
        ::send(socket_, bytes.data(), std::min<size_t>(bytes.size(), 1 << 16), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool FilmServer::Client::wait(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    if (over_) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

FilmServer::FilmServer(Answer answer) : answer_(std::move(answer)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in place = {};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof place;
  auto* general = reinterpret_cast<sockaddr*>(&place);
  if (::bind(listener_, general, size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, general, &size) != 0) {
    throw std::runtime_error("no server can be set up on 127.0.0.1");
  }
  port_ = ntohs(place.sin_port);
  acceptor_ = std::jthread([this] { accept_all(); });
}

FilmServer::~FilmServer() {
  over_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  threads_.clear();
  ::close(listener_);
}

std::string FilmServer::address(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/" + path;
}

std::vector<std::string> FilmServer::requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void FilmServer::accept_all() {
  while (!over_) {
    const int socket = ::accept(listener_, nullptr, nullptr);
    if (socket >= 0) threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void FilmServer::serve(int socket) {
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos && !over_) {
    pollfd ready = {.fd = socket, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 50) <= 0) continue;
    char byte = 0;
    if (::recv(socket, &byte, 1, 0) <= 0) break;
    head += byte;
  }
  if (!head.empty()) {
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(head);
    }
    Client client(socket, over_);
    answer_(head, client);
  }
  ::close(socket);
}

int64_t wanted_from(const std::string& head) {
  const std::string mark = "Range: bytes=";
  const size_t at = head.find(mark);
  return at == std::string::npos ? -1 : std::stoll(head.substr(at + mark.size()));
}

FilmServer::Answer with_ranges(const std::string& film) {
  return [film](const std::string& head, FilmServer::Client& client) {
    const auto size = static_cast<int64_t>(film.size());
    const int64_t from = std::max<int64_t>(wanted_from(head), 0);
    client.send("HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(size - from) +
                "\r\nContent-Range: bytes " + std::to_string(from) + "-" +
                std::to_string(size - 1) + "/" + std::to_string(size) +
                "\r\nConnection: close\r\n\r\n") &&
        client.send(std::string_view(film).substr(static_cast<size_t>(from)));
  };
}

FilmServer::Answer without_ranges(const std::string& film) { return cut_after(film, film.size()); }

FilmServer::Answer without_length(const std::string& film) {
  return [film](const std::string& /*head*/, FilmServer::Client& client) {
    client.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n") && client.send(film);
  };
}

FilmServer::Answer cut_after(const std::string& film, size_t bytes) {
  return [film, bytes](const std::string& /*head*/, FilmServer::Client& client) {
    client.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(film.size()) +
                "\r\nConnection: close\r\n\r\n") &&
        client.send(std::string_view(film).substr(0, bytes));
  };
}

}  // namespace moviechat::testing
