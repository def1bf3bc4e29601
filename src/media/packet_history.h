#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "media/ffmpeg.h"

namespace moviechat {

/// The packets that were read last, whole groups of pictures of them, so that they can be decoded
/// again. Holds at most kMostBytes of them.
class PacketHistory {
 public:
  struct Entry {
    PacketPtr packet;
    bool again = false;  // was read before a seek, too
  };

  void add(PacketPtr packet, bool again);
  void clear();

  /// Entries are numbered in the order of reading, as long as the history lasts.
  int64_t begin() const { return first_; }
  int64_t end() const { return first_ + static_cast<int64_t>(entries_.size()); }
  const Entry& at(int64_t number) const { return entries_[static_cast<size_t>(number - first_)]; }

  /// Where decoding has to begin for the frame of a timestamp: one group of pictures before its
  /// own, since pictures may refer to that. Without a timestamp the beginning. nullopt when those
  /// packets are no longer held.
  std::optional<int64_t> start_of(std::optional<int64_t> timestamp) const;

 private:
  static constexpr int64_t kMostBytes = int64_t{256} << 20;
  // Packets that are being decoded, or wait for their turn to be shown.
  static constexpr int64_t kInFlight = 64;
  static constexpr size_t kGroups = 3;  // before those

  void forget_until(int64_t number);

  std::deque<Entry> entries_;
  std::deque<int64_t> keys_;  // numbers of key packets
  int64_t first_ = 0;
  int64_t bytes_ = 0;
  bool whole_ = true;  // begins with the first packet that was read
};

}  // namespace moviechat
