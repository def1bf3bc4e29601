#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/free_by.h"
#include "moviechat/callbacks.h"
#include "moviechat/error.h"
#include "moviechat/time.h"

namespace moviechat {

/// An http or https address in its parts, as libcurl reads it, which also connects to it.
struct WebAddress {
  std::string scheme;  // http or https
  std::string host;
  std::string path;   // "/" where there is none
  std::string query;  // without the '?'
  std::string fragment;
  bool names_user = false;  // user:password@
};
/// Parts of an address. InputError unless it is http or https, and for blanks, control characters
/// or backslashes. `what` names the address in the message ("--judge-url").
WebAddress web_address(const std::string& what, const std::string& url);

/// An address of any scheme as messages show it: "http://user:***@host/…" (RFC 3986, 3.2.1).
std::string without_password(const std::string& address);

using CurlRequest = std::unique_ptr<CURL, FreeBy<curl_easy_cleanup>>;
using CurlConnections = std::unique_ptr<CURLM, FreeBy<curl_multi_cleanup>>;
using CurlHeaders = std::unique_ptr<curl_slist, FreeBy<curl_slist_free_all>>;

/// A request with the rules that hold for all of ours: http and https alone, certificates verified
/// (SSL_CERT_FILE and SSL_CERT_DIR name others than the system's), redirects not followed, no
/// signals. libcurl is initialised with the first. Error when there is no memory for it.
CurlRequest new_curl_request();

/// Failure of a request; its message completes "the judge at http://… ".
class HttpFailure : public Error {
 public:
  HttpFailure(const std::string& why, bool lasting) : Error(why), lasting_(lasting) {}
  /// The same request will fail again: a certificate that is not valid.
  bool lasting() const { return lasting_; }

 private:
  bool lasting_;
};
/// Failure for libcurl's result `code`, which is not CURLE_OK.
HttpFailure http_failure(CURLcode code);

/// The value of a header line "Name: value\r\n", whatever the case of its name; nullopt where the
/// line is of another header.
std::optional<std::string_view> header_value(std::string_view line, std::string_view name);

/// Bounds of one request, which hold for all of it: name, connection, headers and body.
struct HttpLimits {
  Seconds deadline{60};
  int64_t body_bytes = 4 << 20;
  int64_t header_bytes = 256 << 10;  // of all replies to it, `100 Continue` included
};

struct HttpReply {
  long status = 0;
  std::string body;
  std::string retry_after;  // the header; empty where there is none
};

/// Posts `body` under `headers` ("Name: value"), over a connection of its own: where a kept one had
/// broken, libcurl would send the request twice and say nothing. HttpFailure when there is no whole
/// reply within the limits; Cancelled within 0.1 s of the user's wish. Any thread may call.
HttpReply http_post(const std::string& url, const std::vector<std::string>& headers,
                    const std::string& body, const HttpLimits& limits, const CancelFlag& cancel);

}  // namespace moviechat
