#include "base/http.h"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "support_for_tests/raw_server.h"

namespace moviechat {
namespace {

using ::testing::HasSubstr;
using testing::http_reply;
using testing::RawServer;
using Clock = std::chrono::steady_clock;

/// What a request that comes to nothing says.
std::string failure_of_post(const RawServer& server, const HttpLimits& limits) {
  try {
    http_post(server.url(), {}, "{}", limits, CancelFlag());
  } catch (const HttpFailure& failure) {
    return failure.what();
  }
  return "a whole reply";
}

std::string refusal(const std::string& url) {
  try {
    web_address("--judge-url", url);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Http, PostsAndReads) {
  const RawServer server([](const std::string&, const RawServer::Send& send) {
    send("HTTP/1.1 429 Slow\r\nRETRY-after: 7 \r\nContent-Length: 4\r\n\r\nbusy");
  });
  const HttpReply reply =
      http_post(server.url() + "/v1", {"X-Test: yes"}, "{\"a\": 1}", {}, CancelFlag());
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.body, "busy");
  EXPECT_EQ(reply.retry_after, "7");
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(server.requests()[0], HasSubstr("POST /v1 HTTP/1.1\r\n"));
  EXPECT_THAT(server.requests()[0], HasSubstr("X-Test: yes\r\n"));
  EXPECT_THAT(server.requests()[0], HasSubstr("\r\n\r\n{\"a\": 1}"));
}

/// Each begins with a reply that is right, goes on for ever, and is over a limit some time.
TEST(HttpThreads, ARequestEndsWhateverTheServerSends) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  struct Case {
    std::string head;
    std::string piece;  // sent again and again
    double pause;       // seconds between
    std::string said;
  };
  std::string continues;
  for (int i = 0; i < 1000; ++i) continues += "HTTP/1.1 100 Continue\r\n\r\n";
  const std::string in_time = "did not finish its reply in time";
  for (const Case& attack :
       {Case{"", "", 0.05, in_time}, Case{ok, "X-Drip: 1\r\n", 0.05, in_time},
        Case{chunked, "1\r\na\r\n", 0.05, in_time},
        Case{ok, "X-Filler: " + std::string(4000, 'a') + "\r\n", 0, "headers of more than 64 KiB"},
        Case{"", continues, 0, "headers of more than 64 KiB"},
        Case{ok + "X: ", std::string(1 << 16, 'a'), 0, "headers"},
        Case{chunked, "10000\r\n" + std::string(1 << 16, 'a') + "\r\n", 0,
             "a reply of more than 1024 KiB"}}) {
    RawServer* self = nullptr;
    RawServer server([&](const std::string&, const RawServer::Send& send) {
      if (!send(attack.head)) return;
      while (send(attack.piece)) {
        if (attack.pause > 0) self->pause(attack.pause);
      }
    });
    self = &server;
    const auto start = Clock::now();
    const std::string said = failure_of_post(
        server, {.deadline = Seconds(0.6), .body_bytes = 1 << 20, .header_bytes = 1 << 16});
    EXPECT_LT(Clock::now() - start, std::chrono::milliseconds(1500)) << attack.said;
    EXPECT_NE(said, "a whole reply");
    EXPECT_THAT(said, HasSubstr(attack.said));
  }
}

TEST(HttpThreads, ACancelledRequestEndsAtOnce) {
  RawServer* self = nullptr;
  CancelFlag cancel;
  RawServer server([&](const std::string&, const RawServer::Send&) {
    cancel.cancel();
    self->pause(5);
  });
  self = &server;
  const auto start = Clock::now();
  EXPECT_THROW(http_post(server.url(), {}, "", {}, cancel), Cancelled);
  EXPECT_LT(Clock::now() - start, std::chrono::milliseconds(900));
}

TEST(Http, ALimitBeyondAnyClockIsNone) {
  const RawServer server(
      [](const std::string&, const RawServer::Send& send) { send(http_reply("yes")); });
  for (const double deadline : {1e9, 1e17, 1e300}) {
    const HttpReply reply =
        http_post(server.url(), {}, "", {.deadline = Seconds(deadline)}, CancelFlag());
    EXPECT_EQ(reply.body, "yes");
  }
}

TEST(Http, RedirectsAreNotFollowed) {
  const RawServer server([](const std::string&, const RawServer::Send& send) {
    send("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  });
  EXPECT_EQ(http_post(server.url(), {}, "", {}, CancelFlag()).status, 302);
}

TEST(Http, AddressesThatSteerAreRefused) {
  for (const char* url : {"http://host/\r\nX-Forged: 1", "http://host/a b", "http://host/\x7f",
                          "http://good\\@evil/", "http://host/\t"}) {
    EXPECT_THAT(refusal(url), HasSubstr("holds a blank, a control character or a backslash"));
  }
  for (const char* url :
       {"", "localhost:80", "file:///etc/passwd", "ftp://host/", "http://", "http://host:99999/"}) {
    EXPECT_THAT(refusal(url), HasSubstr("is no web address")) << url;
  }
}

TEST(Http, AnAddressComesInItsParts) {
  const WebAddress address = web_address("a film", "HTTPS://me:secret@host:8443/a%20b?x=1#end");
  EXPECT_EQ(address.scheme, "https");
  EXPECT_EQ(address.host, "host");
  EXPECT_EQ(address.path, "/a%20b");
  EXPECT_EQ(address.query, "x=1");
  EXPECT_EQ(address.fragment, "end");
  EXPECT_TRUE(address.names_user);
  EXPECT_FALSE(web_address("a film", "http://host").names_user);
  EXPECT_EQ(web_address("a film", "http://host").path, "/");
}

TEST(HeaderValue, IsFoundWhateverTheCaseOfTheName) {
  EXPECT_EQ(header_value("retry-AFTER: \t5 \r\n", "Retry-After"), "5");
  EXPECT_EQ(header_value("Retry-After:\r\n", "Retry-After"), "");
  EXPECT_EQ(header_value("Retry-After-All: 5\r\n", "Retry-After"), std::nullopt);
  EXPECT_EQ(header_value("Retry", "Retry-After"), std::nullopt);
}

}  // namespace
}  // namespace moviechat
