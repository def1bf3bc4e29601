#include "judge/endpoint.h"

#include <ctime>
#include "base/json.h"

#include "base/message.h"
#include "moviechat/fields.h"

namespace moviechat::judge {
namespace {

using Json = nlohmann::json;

/// Beginning of a server's reply, on one line.
std::string excerpt(const std::string& body) {
  std::string text = body.substr(0, 200);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 32) c = ' ';
  }
  return text + (body.size() > 200 ? " …" : "");
}

/// Value at a JSON pointer; null where there is none.
Json found_at(const Json& json, const char* place) {
  try {
    return json.at(Json::json_pointer(place));
  } catch (const Json::exception&) {
    return nullptr;
  }
}

/// Error message in a reply: {"error": {"message": …}}, {"error": …}, or the body as it is.
std::string message_of(const std::string& body) {
  const Json json = parse_json(body);
  for (const char* place : {"/error/message", "/error"}) {
    const Json message = found_at(json, place);
    if (message.is_string()) return excerpt(message.get<std::string>());
  }
  return excerpt(body);
}

std::optional<TokenUsage> usage_of(const Json& reply) {
  try {
    return reply.at("usage").get<TokenUsage>();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

/// Text of a chat message, whole or in parts [{"type": "text", "text": …}, …]; empty for a refusal,
/// nullopt for anything else.
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

Exchange read_reply(const std::string& body) {
  const Json reply = parse_json(body);
  const Json message = found_at(reply, "/choices/0/message");
  const auto text = message.is_object() ? content_of(message) : std::nullopt;
  if (!text) return {.failure = "answered 200 without a chat completion: " + excerpt(body)};
  return {.outcome = Exchange::Outcome::replied, .text = *text, .usage = usage_of(reply)};
}

Exchange::Outcome outcome_of(long status) {
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

/// Replaces the text of a reply that repeats the key by its verdict alone.
void hide_words(long status, Exchange& exchange) {
  constexpr const char* kHidden = "(words that repeat the key, which are not kept)";
  if (exchange.outcome == Exchange::Outcome::replied) {
    const auto verdict = parse_verdict(exchange.text);
    exchange.text = verdict ? reply_of(*verdict) : kHidden;
  } else {
    exchange.failure = fmt::format("answered {}: {}", status, kHidden);
  }
}

}  // namespace

std::string endpoint_address(std::string url) {
  const WebAddress address = web_address("--judge-url", url);
  if (address.names_user || url.find_first_of("?#") != std::string::npos) {
    throw input_error(
        "--judge-url '{}' must be a host and a path, expected http://HOST[:PORT]/v1 or https://…",
        without_password(url));
  }
  while (url.ends_with('/')) url.pop_back();
  constexpr std::string_view kCompletions = "/chat/completions";
  if (!url.ends_with(kCompletions)) url += kCompletions;
  return url;
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
    const Json more = parse_json(options.body);
    if (!more.is_object()) {
      throw input_error("--judge-body must be a JSON object, got '{}'", options.body);
    }
    body.merge_patch(more);
  }
  return json_text(body);
}

Endpoint::Endpoint(const JudgeOptions& options)
    : options_(options),
      url_(endpoint_address(options.url)),
      headers_({"Content-Type: application/json", "Accept: application/json"}),
      key_(options.key) {
  if (!options.key.empty()) headers_.push_back("Authorization: Bearer " + options.key);
}

Exchange Endpoint::ask(const JudgeQuestion& question) {
  HttpReply reply;
  try {
    reply = http_post(url_, headers_, request_body(options_, question),
                      {.deadline = options_.timeout}, stopped_);
  } catch (const HttpFailure& failure) {
    return {.outcome = failure.lasting() ? Exchange::Outcome::useless : Exchange::Outcome::busy,
            .failure = failure.what()};
  } catch (const Cancelled&) {
    return {.failure = "was not asked"};
  }
  Exchange exchange;
  if (reply.status == 200) {
    exchange = read_reply(reply.body);
  } else {
    exchange.outcome = outcome_of(reply.status);
    exchange.failure = fmt::format("answered {}", reply.status);
    if (!reply.body.empty()) exchange.failure += ": " + message_of(reply.body);
  }
  if (key_.is_in(reply.body) || key_.is_in(exchange.text)) hide_words(reply.status, exchange);
  if (!reply.retry_after.empty()) {
    exchange.retry_after = retry_after(reply.retry_after, std::time(nullptr));
  }
  return exchange;
}

}  // namespace moviechat::judge
