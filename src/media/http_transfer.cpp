#include "media/http_transfer.h"

#include <openssl/x509_vfy.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

#include "moviechat/fields.h"

namespace moviechat {
namespace {

constexpr size_t kLongestHead = 256 << 10;  // bytes, of all answers to one request
constexpr long kConnectSeconds = 10;
constexpr long kMostRedirects = 5;
constexpr double kSlowest = 1000;       // bytes/s
constexpr int kTurnMilliseconds = 100;  // between looks at the cancel flag

/// A whole number from 0 on; takes it away from `text`.
std::optional<int64_t> take_number(std::string_view& text) {
  int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

/// Why a server's certificate was not accepted, by OpenSSL's number of the reason.
std::string certificate_reason(long number) {
  const std::string way_out = "; SSL_CERT_FILE=FILE names certificates to trust";
  switch (number) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "its certificate is self-signed" + way_out;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "its certificate is signed by nobody who is trusted here" + way_out;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet; is the clock right?";
    case X509_V_OK:
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "its certificate is another host's";
    default:
      return "its certificate is not valid";
  }
}

std::string reason_of(CURL* request, CURLcode code) {
  long number = 0;
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      curl_easy_getinfo(request, CURLINFO_OS_ERRNO, &number);
      return "no connection" +
             (number == 0 ? std::string()
                          : fmt::format(" ({})", std::strerror(static_cast<int>(number))));
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format("no connection within {} s", kConnectSeconds);
    case CURLE_PEER_FAILED_VERIFICATION:
      curl_easy_getinfo(request, CURLINFO_SSL_VERIFYRESULT, &number);
      return certificate_reason(number);
    case CURLE_TOO_MANY_REDIRECTS:
      return fmt::format("it leads on to other addresses more than {} times", kMostRedirects);
    case CURLE_HTTP_RETURNED_ERROR:
      curl_easy_getinfo(request, CURLINFO_RESPONSE_CODE, &number);
      return fmt::format("it answered {}", number);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      curl_easy_getinfo(request, CURLINFO_REDIRECT_COUNT, &number);
      if (number > 0) return "it leads to what is no http or https address";
      break;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
      return "the connection was cut";
    default:
      break;
  }
  return std::string("it ") + http_failure(code).what();
}

}  // namespace

HttpTransfer::HttpTransfer(const std::string& address, int64_t offset, Seconds patience,
                           const CancelFlag* cancel)
    : patience_(patience),
      cancel_(cancel),
      request_(new_curl_request()),
      connection_(curl_multi_init()) {
  if (!connection_) throw Error("out of memory while making a request");
  set_options(address, offset);
  if (curl_multi_add_handle(connection_.get(), request_.get()) != CURLM_OK) {
    throw Error("out of memory while making a request");
  }
  fill();
  if (failure_.empty() && head_.status == 206 && head_.film.start != offset) {
    failure_ = "it gives other bytes than it was asked for";
  }
}

HttpTransfer::~HttpTransfer() { curl_multi_remove_handle(connection_.get(), request_.get()); }

void HttpTransfer::set_options(const std::string& address, int64_t offset) {
  CURL* handle = request_.get();
  curl_easy_setopt(handle, CURLOPT_URL, address.c_str());
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(handle, CURLOPT_MAXREDIRS, kMostRedirects);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
  curl_easy_setopt(handle, CURLOPT_RANGE, fmt::format("{}-", offset).c_str());
  curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
  // Others would be read ahead of us, without bound.
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  using Callback = size_t (*)(char*, size_t, size_t, void*);
  const Callback on_head = [](char* data, size_t size, size_t count, void* self) {
    return static_cast<HttpTransfer*>(self)->take_head_line({data, size * count});
  };
  const Callback on_body = [](char* data, size_t size, size_t count, void* self) {
    return static_cast<HttpTransfer*>(self)->take_body({data, size * count});
  };
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_head);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
}

size_t HttpTransfer::take_head_line(std::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > kLongestHead) {
    failure_ = "the head of its answer does not end";
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    head_ = {};
    const size_t space = line.find(' ');
    std::string_view rest = line.substr(std::min(space, line.size() - 1) + 1);
    head_.status = static_cast<int>(take_number(rest).value_or(0) % 1000);
  } else if (auto length = header_value(line, "Content-Length")) {
    head_.length = take_number(*length);
    if (head_.status == 200) head_.film.size = head_.length;
  } else if (auto range = header_value(line, "Content-Range");
             range && range->starts_with("bytes ")) {
    range->remove_prefix(std::strlen("bytes "));
    head_.film.start = take_number(*range).value_or(0);
    const size_t slash = range->find('/');
    if (slash == std::string_view::npos) return line.size();
    range->remove_prefix(slash + 1);
    head_.film.size = take_number(*range);
    head_.film.ranges = head_.status == 206 && head_.film.size;
  } else if (const auto accepted = header_value(line, "Accept-Ranges")) {
    head_.film.ranges = head_.film.ranges || *accepted == "bytes";
  } else if (const auto coding = header_value(line, "Transfer-Encoding")) {
    head_.chunked = *coding != "identity";
  } else if (const auto tag = header_value(line, "ETag")) {
    head_.film.version = *tag;
  }
  return line.size();
}

size_t HttpTransfer::take_body(std::string_view bytes) {
  came_ += bytes.size();
  body_.insert(body_.end(), bytes.begin(), bytes.end());
  return bytes.size();
}

/// Reads from the connection until something has come, or it has ended.
void HttpTransfer::fill() {
  while (body_read_ == body_.size() && !ended_) {
    if (cancel_ != nullptr) cancel_->check();
    body_.clear();
    body_read_ = 0;
    int running = 0;
    curl_multi_perform(connection_.get(), &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(connection_.get(), &left)) {
      if (message->msg == CURLMSG_DONE) end(message->data.result);
    }
    if (body_.empty() && !ended_) wait();
  }
}

void HttpTransfer::wait() {
  const auto begin = std::chrono::steady_clock::now();
  curl_multi_poll(connection_.get(), nullptr, 0, kTurnMilliseconds, nullptr);
  waited_ += std::chrono::steady_clock::now() - begin;
  if (waited_ < patience_) return;
  if (static_cast<double>(came_) < kSlowest * patience_.count()) {
    ended_ = true;
    failure_ = came_ == 0 ? "nothing came" : fmt::format("only {} bytes came", came_);
    failure_ += fmt::format(" within {} s (video.patience)", to_text(patience_.count()));
  }
  waited_ = Seconds(0);
  came_ = 0;
}

void HttpTransfer::end(CURLcode code) {
  ended_ = true;
  if (code == CURLE_OK || !failure_.empty()) return;
  // Where no length is said, the end of the connection is the end of the film, and many servers
  // just close it, which libcurl takes for a failure over TLS.
  const bool open_end = head_.status == 200 && !head_.length && !head_.chunked;
  if (open_end && code == CURLE_RECV_ERROR) return;
  cut_ = code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR;
  failure_ = reason_of(request_.get(), code);
}

size_t HttpTransfer::read(std::span<uint8_t> room) {
  fill();
  const size_t count = std::min(room.size(), body_.size() - body_read_);
  std::copy_n(body_.data() + body_read_, count, room.data());
  body_read_ += count;
  return count;
}

}  // namespace moviechat
