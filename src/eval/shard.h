#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moviechat::eval {

/// Part `number` (from 1) of `count` of a data set: videos number−1, number−1+count, … — dealt out
/// one by one, so that long and short ones mix.
struct Shard {
  int64_t number = 1;
  int64_t count = 1;

  /// Which of `videos` are in it, ascending.
  std::vector<int64_t> indices(int64_t videos) const;
  bool operator==(const Shard&) const = default;
};

/// "2/7" → shard. InputError unless 1 <= number <= count.
Shard parse_shard(const std::string& text);
std::string to_text(const Shard& shard);

}  // namespace moviechat::eval
