#include "memory/per_clip.h"

namespace moviechat {

void PerClipMemory::end_clip() {
  if (short_.size() == 0) return;
  consolidate(static_cast<double>(short_.size()));
  short_.clear();
}

MemoryBlocks PerClipMemory::at(const Query& query) const {
  PerClipMemory finished = *this;
  finished.observe({});
  finished.finish();
  return {finished.long_.blocks(), query.moment ? short_.blocks() : std::vector<Block>(), {}};
}

}  // namespace moviechat
