#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace moviechat {

/// Bytes that come one after another: from a pipe, or as a server's answer to one request.
class Transfer {
 public:
  virtual ~Transfer() = default;
  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// The next bytes, for which it waits; 0 at the end. Cancelled when the user asks to stop.
  virtual size_t read(std::span<uint8_t> room) = 0;

  /// Facts that a transfer tells about the film.
  struct FilmFacts {
    int64_t start = 0;            // offset of the transfer's first byte in the film
    std::optional<int64_t> size;  // bytes of the whole film
    bool ranges = false;          // another transfer can begin anywhere in the film
    std::string version;          // tells this film from another of the same name; "": nothing does
  };
  virtual FilmFacts film() const { return {}; }

  /// Reason for which it ended early; "" when it did not.
  virtual std::string failure() const { return {}; }

  /// Whether the connection was cut midway, so that another one may give the rest.
  virtual bool cut() const { return false; }
};

}  // namespace moviechat
