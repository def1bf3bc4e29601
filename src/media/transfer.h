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

  /// Where its first byte lies in the film.
  virtual int64_t start() const { return 0; }

  /// Bytes of the whole film, where that is said.
  virtual std::optional<int64_t> film_size() const { return std::nullopt; }

  /// Another one can begin anywhere in the film.
  virtual bool can_begin_anywhere() const { return false; }

  /// What tells this film from another under the same name; "" where nothing does.
  virtual std::string version() const { return {}; }

  /// Why it ended before its end; "" when it did not.
  virtual std::string failure() const { return {}; }

  /// The connection was cut midway, so that another may give the rest.
  virtual bool cut() const { return false; }
};

}  // namespace moviechat
