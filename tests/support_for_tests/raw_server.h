#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace moviechat::testing {

/// A server on this machine that sends what no web server would, byte by byte. Connections are
/// served one after the other.
class RawServer {
 public:
  /// Sends bytes; false when the connection has broken or the server ends.
  using Send = std::function<bool(const std::string& bytes)>;
  /// What becomes of a request. The connection is closed when it returns.
  using Answer = std::function<void(const std::string& request, const Send& send)>;

  explicit RawServer(Answer answer);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> requests() const;
  /// A pause in an answer; shorter when the server ends.
  void pause(double seconds) const;

 private:
  void serve();
  void serve_one(int connection);

  Answer answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopped_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;  // last: it uses what is above
};

/// A whole reply.
std::string http_reply(const std::string& body, const std::string& status = "200 OK");

}  // namespace moviechat::testing
