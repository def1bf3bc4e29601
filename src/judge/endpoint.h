#pragma once

#include <string>
#include <vector>

#include "base/http.h"
#include "judge/judge.h"
#include "judge/secret.h"

namespace moviechat::judge {

/// Address of the chat completions of a judge's API. InputError unless `url` is an http or https
/// address of a host and a path.
std::string endpoint_address(std::string url);

/// Wait that a Retry-After header asks for, as seconds or as a date; `now` counts seconds since
/// 1970. nullopt for anything else.
std::optional<Seconds> retry_after(const std::string& header, int64_t now);

/// Outcome of one request. The key stands nowhere in it.
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

/// Questions → replies of a judge, each within the time limit of the options. Any thread may call.
class Endpoint {
 public:
  explicit Endpoint(const JudgeOptions& options);

  Exchange ask(const JudgeQuestion& question);

  /// Ends the requests under way, and refuses new ones.
  void stop() { stopped_.cancel(); }

 private:
  const JudgeOptions& options_;
  std::string url_;
  std::vector<std::string> headers_;
  Secret key_;
  CancelFlag stopped_;
};

/// Body of a request: model, messages, temperature 0, and the JSON object that the options merge
/// in. InputError when that is no object.
std::string request_body(const JudgeOptions& options, const JudgeQuestion& question);

}  // namespace moviechat::judge
