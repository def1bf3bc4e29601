#pragma once

#include <string>
#include <vector>

#include "base/http.h"
#include "judge/judge.h"
#include "judge/secret.h"

namespace moviechat::judge {

/// The address of a judge's API → that of its chat completions. InputError for what is no http or
/// https address of a host and a path.
std::string endpoint_address(std::string url);

/// What a Retry-After header asks for: seconds, or a date seen from `now` (seconds since 1970).
/// nullopt for anything else.
std::optional<Seconds> retry_after(const std::string& header, int64_t now);

/// What one request came to. The key stands in none of it.
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

/// Questions → replies, each within the time that the options give it. Any thread may call.
class Endpoint {
 public:
  explicit Endpoint(const JudgeOptions& options);

  Exchange ask(const JudgeQuestion& question);

  /// Ends the requests under way, and lets none begin.
  void stop() { stopped_.cancel(); }

 private:
  const JudgeOptions& options_;
  std::string url_;
  std::vector<std::string> headers_;
  Secret key_;
  CancelFlag stopped_;
};

/// The body of a request: model, messages, temperature 0, and what the options merge in. InputError
/// when those are no JSON object.
std::string request_body(const JudgeOptions& options, const JudgeQuestion& question);

}  // namespace moviechat::judge
