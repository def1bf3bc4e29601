#pragma once

#include <httplib.h>

#include <atomic>
#include <string>

#include "moviechat/judge/judge.h"

namespace moviechat::judge {

/// An address in its parts: "http://127.0.0.1:8000" and "/v1/chat/completions".
struct EndpointAddress {
  std::string host;
  std::string path;
};
/// InputError for what is no http or https address.
EndpointAddress endpoint_address(const std::string& url);

/// What a Retry-After header asks for: seconds, or a date seen from `now` (seconds since 1970).
/// nullopt for anything else.
std::optional<Seconds> retry_after(const std::string& header, int64_t now);

/// What one request came to.
struct Exchange {
  enum class Outcome {
    replied,  // `text` is what the judge said
    busy,     // try again later
    refused,  // this request will never do
    useless,  // no request will do: key, address or model are wrong
  };
  Outcome outcome = Outcome::busy;
  std::string text = {};
  std::string failure = {};  // one line
  std::optional<TokenUsage> usage = {};
  std::optional<Seconds> retry_after = {};
};

/// Questions → replies over one connection, which is kept open between them. One thread at a time,
/// but for stop().
class Endpoint {
 public:
  explicit Endpoint(const JudgeOptions& options);

  Exchange ask(const JudgeQuestion& question);

  /// From any thread: ends the request under way.
  void stop();

 private:
  const JudgeOptions& options_;
  EndpointAddress address_;
  httplib::Client client_;
  std::atomic<bool> stopped_{false};
};

/// The body of a request: model, messages, temperature 0, and what the options merge in. InputError
/// when those are no JSON object.
std::string request_body(const JudgeOptions& options, const JudgeQuestion& question);

}  // namespace moviechat::judge
