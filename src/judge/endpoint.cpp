#include "judge/endpoint.h"

#include <ctime>
#include "moviechat/support/json.h"

#include "moviechat/support/error.h"
#include "moviechat/support/fields.h"

namespace moviechat::judge {
namespace {

using Json = nlohmann::json;
constexpr size_t kLongestReply = 4 << 20;

/// The beginning of what a server said, on one line.
std::string excerpt(const std::string& body) {
  std::string text = body.substr(0, 200);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 32) c = ' ';
  }
  return text + (body.size() > 200 ? " …" : "");
}

/// {"error": {"message": …}}, or the body as it is.
std::string message_of(const std::string& body) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (json.is_object() && json.contains("error")) {
    const Json& error = json["error"];
    if (error.is_string()) return excerpt(error.get<std::string>());
    if (error.is_object() && error.contains("message") && error["message"].is_string()) {
      return excerpt(error["message"].get<std::string>());
    }
  }
  return excerpt(body);
}

std::optional<TokenUsage> usage_of(const Json& reply) {
  const auto usage = reply.find("usage");
  if (usage == reply.end() || !usage->is_object()) return std::nullopt;
  const auto count = [&](const char* key) -> std::optional<int64_t> {
    const auto value = usage->find(key);
    if (value == usage->end() || !value->is_number_integer()) return std::nullopt;
    return value->get<int64_t>();
  };
  const auto prompt = count("prompt_tokens");
  const auto completion = count("completion_tokens");
  if (!prompt || !completion) return std::nullopt;
  return TokenUsage{*prompt, *completion};
}

/// The text of a message, whole or in parts [{"type": "text", "text": …}, …]; empty where there is
/// none (a refusal), nullopt for anything else.
std::optional<std::string> content_of(const Json& message) {
  const Json content = message.value("content", Json());
  if (content.is_null()) return "";
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) return std::nullopt;
  std::string text;
  for (const Json& part : content) {
    if (!part.is_object()) return std::nullopt;
    const Json words = part.value("text", Json());
    if (words.is_string()) text += words.get<std::string>();
  }
  return text;
}

/// The text of a chat completion.
std::optional<std::string> text_of(const Json& reply) {
  const auto choices = reply.find("choices");
  if (choices == reply.end() || !choices->is_array() || choices->empty()) return std::nullopt;
  const Json& choice = choices->front();
  if (!choice.is_object() || !choice.contains("message")) return std::nullopt;
  const Json& message = choice["message"];
  return message.is_object() ? content_of(message) : std::nullopt;
}

Exchange read_reply(const std::string& body) {
  const Json reply = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  std::optional<std::string> text;
  if (reply.is_object()) text = text_of(reply);
  if (!text) return {.failure = "answered 200 without a chat completion: " + excerpt(body)};
  return {.outcome = Exchange::Outcome::replied, .text = *text, .usage = usage_of(reply)};
}

Exchange::Outcome outcome_of(int status) {
  switch (status) {
    case 408:
    case 409:
    case 425:
    case 429:
      return Exchange::Outcome::busy;
    case 400:
    case 413:
    case 422:
      return Exchange::Outcome::refused;
    default:
      return status >= 500 ? Exchange::Outcome::busy : Exchange::Outcome::useless;
  }
}

httplib::Request request_of(const EndpointAddress& address, const JudgeOptions& options,
                            const JudgeQuestion& question) {
  httplib::Request request;
  request.method = "POST";
  request.path = address.path;
  request.set_header("Content-Type", "application/json");
  request.set_header("Accept", "application/json");
  if (!options.key.empty()) request.set_header("Authorization", "Bearer " + options.key);
  request.body = request_body(options, question);
  return request;
}

/// Why a request failed. The library's own words change with its version.
std::string reason_of(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return "no connection";
    case httplib::Error::ConnectionTimeout:
      return "no connection in time";
    case httplib::Error::Read:
      return "no reply, or only a part of one";
    case httplib::Error::Write:
      return "it does not take the request";
    case httplib::Error::SSLConnection:
      return "no secure connection";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not valid";
    default:
      return httplib::to_string(error);
  }
}

}  // namespace

EndpointAddress endpoint_address(const std::string& url) {
  const std::string expected = ", expected http://HOST[:PORT]/v1 or https://…";
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos ||
      (!url.starts_with("http://") && !url.starts_with("https://"))) {
    throw InputError("--judge-url '" + url + "' is no web address" + expected);
  }
  const size_t host = scheme + 3;
  const size_t path = std::min(url.find('/', host), url.size());
  EndpointAddress address{url.substr(0, path), url.substr(path)};
  const std::string authority = url.substr(host, path - host);
  if (authority.empty() || authority.find_first_of("@ ?#") != std::string::npos ||
      address.path.find_first_of(" ?#") != std::string::npos) {
    throw InputError("--judge-url '" + url + "' must be a host and a path" + expected);
  }
  while (address.path.ends_with('/')) address.path.pop_back();
  constexpr std::string_view kCompletions = "/chat/completions";
  if (!address.path.ends_with(kCompletions)) address.path += kCompletions;
  return address;
}

std::optional<Seconds> retry_after(const std::string& header, int64_t now) {
  double seconds = 0;
  try {
    from_text("Retry-After", header, seconds);
  } catch (const InputError&) {
    std::tm date{};
    const char* end = ::strptime(header.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (end == nullptr || *end != '\0') return std::nullopt;
    seconds = static_cast<double>(::timegm(&date) - now);
  }
  return Seconds(std::max(0.0, seconds));
}

std::string request_body(const JudgeOptions& options, const JudgeQuestion& question) {
  Json body = {
      {"model", options.model},
      {"temperature", 0},
      {"messages",
       {{{"role", "system"}, {"content", judge_system_prompt()}},
        {{"role", "user"}, {"content", judge_user_prompt(question)}}}},
  };
  if (!options.body.empty()) {
    const Json more = Json::parse(options.body, nullptr, /*allow_exceptions=*/false);
    if (!more.is_object()) {
      throw InputError("--judge-body must be a JSON object, got '" + options.body + "'");
    }
    body.merge_patch(more);
  }
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Endpoint::Endpoint(const JudgeOptions& options)
    : options_(options), address_(endpoint_address(options.url)), client_(address_.host) {
  const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout);
  client_.set_connection_timeout(timeout);
  client_.set_read_timeout(timeout);
  client_.set_write_timeout(timeout);
  client_.set_keep_alive(true);
}

Exchange Endpoint::ask(const JudgeQuestion& question) {
  if (stopped_) return {.failure = "was not asked"};
  const auto deadline = std::chrono::steady_clock::now() + options_.timeout;
  httplib::Request request = request_of(address_, options_, question);
  std::string body;
  request.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
    body.append(data, size);
    return !stopped_ && body.size() <= kLongestReply && std::chrono::steady_clock::now() < deadline;
  };
  const httplib::Result result = client_.send(request);
  if (!result) {
    const bool cut = result.error() == httplib::Error::Canceled;
    return {.failure = cut ? "did not finish its reply in time"
                           : "does not answer (" + reason_of(result.error()) + ")"};
  }
  Exchange exchange;
  if (result->status == 200) {
    exchange = read_reply(body);
  } else {
    exchange.outcome = outcome_of(result->status);
    exchange.failure = "answered " + std::to_string(result->status) + ": " + message_of(body);
  }
  if (result->has_header("Retry-After")) {
    exchange.retry_after = retry_after(result->get_header_value("Retry-After"), std::time(nullptr));
  }
  return exchange;
}

void Endpoint::stop() {
  stopped_ = true;
  client_.stop();
}

}  // namespace moviechat::judge
