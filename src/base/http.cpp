#include "base/http.h"

#include <strings.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <new>
#include <string_view>

#include "base/utf8.h"

namespace moviechat {
namespace {

constexpr int kGlanceMilliseconds = 100;  // how often the user's wish to stop is looked at

/// A part of an address; empty where it has none.
std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  const std::unique_ptr<char, FreeBy<curl_free>> owner(text);
  return text;
}

bool steers(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= ' ' || byte == 0x7f || c == '\\';
}

/// What arrives of a reply, and what of it is over the limits.
struct Arrival {
  const HttpLimits& limits;
  HttpReply reply = {};
  int64_t header_bytes = 0;
  bool long_body = false;
  bool long_headers = false;
};

size_t take_body(const char* data, size_t, size_t size, void* target) {
  auto& arrival = *static_cast<Arrival*>(target);
  arrival.long_body =
      std::ssize(arrival.reply.body) + static_cast<int64_t>(size) > arrival.limits.body_bytes;
  if (arrival.long_body) return 0;  // which ends the request
  arrival.reply.body.append(data, size);
  return size;
}

size_t take_header(const char* data, size_t, size_t size, void* target) {
  auto& arrival = *static_cast<Arrival*>(target);
  arrival.header_bytes += static_cast<int64_t>(size);
  arrival.long_headers = arrival.header_bytes > arrival.limits.header_bytes;
  if (arrival.long_headers) return 0;
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) arrival.reply.retry_after.clear();  // another reply begins
  if (const auto value = header_value(line, "Retry-After")) arrival.reply.retry_after = *value;
  return size;
}

/// libcurl counts milliseconds in an int: 24 days, which is as good as no limit.
long milliseconds_of(Seconds seconds) {
  constexpr double kMost = std::numeric_limits<int>::max();
  return static_cast<long>(std::clamp(seconds.count() * 1000, 1.0, kMost));
}

void name_certificates(CURL* request, CURLoption option, const char* variable) {
  const char* path = std::getenv(variable);
  if (path != nullptr && *path != '\0') curl_easy_setopt(request, option, path);
}

CURLcode perform(CURL* request, const CancelFlag& cancel) {
  struct Transfer {
    explicit Transfer(CURL* handle) : request(handle), all(curl_multi_init()) {
      if (all == nullptr || curl_multi_add_handle(all.get(), handle) != CURLM_OK) {
        throw std::bad_alloc();
      }
    }
    ~Transfer() { curl_multi_remove_handle(all.get(), request); }
    CURL* request;
    CurlConnections all;
  } transfer(request);
  for (int running = 1; running > 0;) {
    cancel.check();
    if (curl_multi_perform(transfer.all.get(), &running) != CURLM_OK) return CURLE_RECV_ERROR;
    if (running > 0) {
      curl_multi_poll(transfer.all.get(), nullptr, 0, kGlanceMilliseconds, nullptr);
    }
  }
  int waiting = 0;
  const CURLMsg* message = curl_multi_info_read(transfer.all.get(), &waiting);
  return message == nullptr ? CURLE_RECV_ERROR : message->data.result;
}

}  // namespace

std::optional<std::string_view> header_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':' ||
      ::strncasecmp(line.data(), name.data(), name.size()) != 0) {
    return std::nullopt;
  }
  return trim(line.substr(name.size() + 1));
}

std::string without_password(const std::string& address) {
  const size_t scheme = address.find("://");
  if (scheme == std::string::npos) return address;
  const size_t begin = scheme + 3;
  const size_t end = std::min(address.find_first_of("/?#", begin), address.size());
  const size_t at = address.rfind('@', end);
  const size_t colon = address.find(':', begin);
  if (at == std::string::npos || at < begin || at >= end || colon >= at) return address;
  return fmt::format("{}:***{}", address.substr(0, colon), address.substr(at));
}

WebAddress web_address(const std::string& what, const std::string& url) {
  const std::string name = fmt::format("{} '{}'", what, without_password(url));
  if (std::any_of(url.begin(), url.end(), steers)) {
    throw InputError(name +
                     " holds a blank, a control character or a backslash, which no web address "
                     "does; write it as % and two hexadecimal digits");
  }
  const std::unique_ptr<CURLU, FreeBy<curl_url_cleanup>> parsed(curl_url());
  if (parsed == nullptr) throw std::bad_alloc();
  const bool valid = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  WebAddress address{.scheme = part_of(parsed.get(), CURLUPART_SCHEME),
                     .host = part_of(parsed.get(), CURLUPART_HOST),
                     .path = part_of(parsed.get(), CURLUPART_PATH),
                     .query = part_of(parsed.get(), CURLUPART_QUERY),
                     .fragment = part_of(parsed.get(), CURLUPART_FRAGMENT),
                     .names_user = !part_of(parsed.get(), CURLUPART_USER).empty() ||
                                   !part_of(parsed.get(), CURLUPART_PASSWORD).empty()};
  if (!valid || address.host.empty() || (address.scheme != "http" && address.scheme != "https")) {
    throw InputError(name + " is no web address, expected http://HOST[:PORT]/… or https://…");
  }
  return address;
}

CurlRequest new_curl_request() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  CurlRequest request(initialised == CURLE_OK ? curl_easy_init() : nullptr);
  CURL* const handle = request.get();
  if (handle == nullptr) throw std::bad_alloc();
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);  // no waiting for a name server that is slow
#endif
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  name_certificates(handle, CURLOPT_CAINFO, "SSL_CERT_FILE");
  name_certificates(handle, CURLOPT_CAPATH, "SSL_CERT_DIR");
  return request;
}

HttpFailure http_failure(CURLcode code) {
  const auto silent = [](const char* why, bool lasting) {
    return HttpFailure(fmt::format("does not answer ({})", why), lasting);
  };
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {"did not finish its reply in time", false};
    case CURLE_COULDNT_CONNECT:
      return silent("no connection", false);
    case CURLE_COULDNT_RESOLVE_HOST:
      return silent("no machine of that name is known", false);
    case CURLE_COULDNT_RESOLVE_PROXY:
      return silent("the proxy that the environment names is unknown", true);
    case CURLE_PEER_FAILED_VERIFICATION:
      return silent("its certificate is not valid", true);
    case CURLE_SSL_CACERT_BADFILE:
      return silent("the certificates that SSL_CERT_FILE names cannot be read", true);
    case CURLE_SSL_CONNECT_ERROR:
      return silent("no secure connection", false);
    case CURLE_SEND_ERROR:
      return silent("it does not take the request", false);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return silent("what it sends is not HTTP", false);
    case CURLE_OUT_OF_MEMORY:  // what libcurl says of a header line without an end, too
      return {"sends headers that memory does not hold", false};
    default:
      return silent("no reply, or only a part of one", false);
  }
}

HttpReply http_post(const std::string& url, const std::vector<std::string>& headers,
                    const std::string& body, const HttpLimits& limits, const CancelFlag& cancel) {
  const CurlRequest request = new_curl_request();
  CurlHeaders list;
  const auto add = [&](const std::string& header) {
    curl_slist* longer = curl_slist_append(list.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list.release();  // the longer list owns it
    list.reset(longer);
  };
  add("Expect:");  // libcurl would wait for `100 Continue` before a long body
  for (const std::string& header : headers) add(header);
  Arrival arrival{limits};
  CURL* const handle = request.get();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, milliseconds_of(limits.deadline));
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds_of(limits.deadline));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &arrival);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &arrival);
  const CURLcode result = perform(handle, cancel);
  if (arrival.long_headers) {
    throw HttpFailure(fmt::format("sends headers of more than {} KiB", limits.header_bytes / 1024),
                      false);
  }
  if (arrival.long_body) {
    throw HttpFailure(fmt::format("sends a reply of more than {} KiB", limits.body_bytes / 1024),
                      false);
  }
  if (result != CURLE_OK) throw http_failure(result);
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &arrival.reply.status);
  return std::move(arrival.reply);
}

}  // namespace moviechat
