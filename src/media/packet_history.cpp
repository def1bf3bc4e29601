#include "media/packet_history.h"

#include <algorithm>
#include <utility>

namespace moviechat {
namespace {

int64_t time_of(const AVPacket& packet) {
  return packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
}

}  // namespace

void PacketHistory::add(PacketPtr packet, bool again) {
  if ((packet->flags & AV_PKT_FLAG_KEY) != 0) keys_.push_back(end());
  bytes_ += packet->size;
  entries_.push_back({std::move(packet), again});
  while (keys_.size() > kGroups && keys_[kGroups] + kInFlight < end()) forget_until(keys_[1]);
  if (bytes_ > kMostBytes) forget_until(end());
}

void PacketHistory::clear() {
  forget_until(end());
  whole_ = true;
}

void PacketHistory::forget_until(int64_t number) {
  for (; first_ < number; ++first_) {
    bytes_ -= entries_.front().packet->size;
    entries_.pop_front();
    whole_ = false;
  }
  while (!keys_.empty() && keys_.front() < first_) keys_.pop_front();
}

std::optional<int64_t> PacketHistory::start_of(std::optional<int64_t> timestamp) const {
  if (entries_.empty()) return std::nullopt;
  const std::optional<int64_t> beginning = whole_ ? std::optional(first_) : std::nullopt;
  if (!timestamp) return beginning;
  const auto after = std::find_if(keys_.begin(), keys_.end(), [&](int64_t key) {
    return time_of(*at(key).packet) > *timestamp;
  });
  const auto groups = after - keys_.begin();
  return groups >= 2 ? std::optional(keys_[static_cast<size_t>(groups - 2)]) : beginning;
}

}  // namespace moviechat
