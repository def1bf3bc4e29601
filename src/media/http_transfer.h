#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/http.h"
#include "media/transfer.h"
#include "moviechat/callbacks.h"
#include "moviechat/time.h"

namespace moviechat {

/// Web server's answer to one request for a film from some byte on. Comes no faster than it is
/// read; who sends too little while it is waited for is given up. Memory: some 2 MB at most.
class HttpTransfer : public Transfer {
 public:
  /// Sends the request and waits for the beginning of the answer.
  HttpTransfer(const std::string& address, int64_t offset, Seconds patience,
               const CancelFlag* cancel);
  ~HttpTransfer() override;

  size_t read(std::span<uint8_t> room) override;
  FilmFacts film() const override { return head_.film; }
  std::string failure() const override { return failure_; }
  bool cut() const override { return cut_; }

 private:
  /// Header lines of an answer.
  struct Head {
    int status = 0;
    bool chunked = false;
    std::optional<int64_t> length;  // of this answer
    FilmFacts film;
  };

  void set_options(const std::string& address, int64_t offset);
  size_t take_head_line(std::string_view line);
  size_t take_body(std::string_view bytes);
  void fill();
  void wait();
  void end(CURLcode code);

  Seconds patience_;
  const CancelFlag* cancel_;
  CurlRequest request_;
  CurlConnections connection_;
  Head head_;
  size_t head_bytes_ = 0;
  std::vector<uint8_t> body_;  // came and was not read yet, from body_read_ on
  size_t body_read_ = 0;
  bool ended_ = false;
  std::string failure_;
  bool cut_ = false;
  Seconds waited_{0};  // since came_ began to count
  size_t came_ = 0;    // bytes
};

}  // namespace moviechat
