#include "eval/shard.h"

#include "base/message.h"
#include "moviechat/fields.h"

namespace moviechat::eval {

std::vector<int64_t> Shard::indices(int64_t videos) const {
  std::vector<int64_t> all;
  for (int64_t index = number - 1; index < videos; index += count) {
    all.push_back(index);
    if (videos - index <= count) break;  // the next may be beyond what an int64_t holds
  }
  return all;
}

Shard parse_shard(const std::string& text) {
  const size_t slash = text.find('/');
  Shard shard;
  if (slash != std::string::npos) {
    from_text("--shard", text.substr(0, slash), shard.number);
    from_text("--shard", text.substr(slash + 1), shard.count);
  }
  if (slash == std::string::npos || shard.number < 1 || shard.number > shard.count) {
    throw input_error("--shard must be I/N with I from 1 to N, like 2/7, got '{}'", text);
  }
  return shard;
}

std::string to_text(const Shard& shard) { return fmt::format("{}/{}", shard.number, shard.count); }

}  // namespace moviechat::eval
