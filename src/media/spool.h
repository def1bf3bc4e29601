#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "base/descriptor.h"

namespace moviechat {

/// Parts of a film, by offset, in a temporary file that has no name, so that nothing of it stays
/// whatever ends the program. It lies in TMPDIR, and holds so many bytes at most.
class Spool {
 public:
  explicit Spool(int64_t most) : most_(most) {}

  /// Keeps bytes. False when it does not, which failure() explains, and for all that come later.
  bool put(int64_t offset, std::span<const uint8_t> bytes);

  /// Bytes from `offset` on, as far as they are kept without a gap; 0: none.
  size_t get(int64_t offset, std::span<uint8_t> room) const;

  /// Gives the room back; nothing is kept from now on.
  void close();

  /// Something was to be kept, whether it could be or not.
  bool wanted() const { return most_ > 0 || kind_ != Failure::none; }
  bool open() const { return most_ > 0; }
  int64_t most() const { return most_; }  // bytes

  enum class Failure { none, limit, disk };
  Failure kind() const { return kind_; }
  const std::string& failure() const { return failure_; }

 private:
  bool fail(Failure kind, std::string why);
  bool make_file();

  int64_t most_;
  int64_t bytes_ = 0;
  Descriptor file_{-1};
  std::map<int64_t, int64_t> parts_;  // begin → end; none touches another
  Failure kind_ = Failure::none;
  std::string failure_;
};

}  // namespace moviechat
