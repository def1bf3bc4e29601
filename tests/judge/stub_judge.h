#pragma once

#include <httplib.h>

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#include "base/json.h"

namespace moviechat::judge::testing {

/// A chat completion as OpenAI's API answers, with 10 prompt and 2 completion tokens.
inline std::string completion(const std::string& text) {
  const nlohmann::json json = {
      {"choices", {{{"index", 0}, {"message", {{"role", "assistant"}, {"content", text}}}}}},
      {"usage", {{"prompt_tokens", 10}, {"completion_tokens", 2}, {"total_tokens", 12}}}};
  return json.dump();
}

/// A request as the server saw it.
struct Seen {
  std::string body;
  std::string authorization;
  std::string path;
  std::chrono::steady_clock::time_point when;
};

/// A server on this machine that stands for a judge and misbehaves as it is told.
class StubJudge {
 public:
  /// Answers the n-th request (from 0) for a question; `asked` is the predicted answer in it.
  using Behaviour = std::function<void(const std::string& asked, int n, httplib::Response&)>;

  explicit StubJudge(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
    server_.Post(".*", [this](const httplib::Request& request, httplib::Response& response) {
      const auto json = nlohmann::json::parse(request.body);
      const auto prompt = json.at("messages").at(1).at("content").get<std::string>();
      const std::string mark = "Predicted Answer: ";
      const size_t begin = prompt.find(mark) + mark.size();
      const std::string asked = prompt.substr(begin, prompt.find('\n', begin) - begin);
      int n = 0;
      {
        const std::lock_guard lock(mutex_);
        n = times_[asked]++;
        seen_.push_back({request.body, request.get_header_value("Authorization"), request.path,
                         std::chrono::steady_clock::now()});
      }
      behaviour_(asked, n, response);
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~StubJudge() {
    server_.stop();
    thread_.join();
  }
  StubJudge(const StubJudge&) = delete;
  StubJudge& operator=(const StubJudge&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  std::vector<Seen> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  Behaviour behaviour_;
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::map<std::string, int> times_;
  std::vector<Seen> seen_;
};

inline void reply(httplib::Response& response, const std::string& text) {
  response.set_content(completion(text), "application/json");
}

inline void fail(httplib::Response& response, int status, const std::string& message) {
  response.status = status;
  response.set_content(nlohmann::json({{"error", {{"message", message}}}}).dump(),
                       "application/json");
}

/// Begins a reply and closes the connection in the middle of it.
inline void drop(httplib::Response& response) {
  response.set_content_provider(100, "application/json",
                                [](size_t, size_t, httplib::DataSink&) { return false; });
}

}  // namespace moviechat::judge::testing
