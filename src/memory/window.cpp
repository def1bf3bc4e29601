#include "memory/window.h"

namespace moviechat {

void WindowMemory::added() {
  if (new_blocks() == options_.window()) end_window();
}

void WindowMemory::end_window() {
  consolidate(static_cast<double>(new_blocks()));
  stayed_ = short_.size();
  const Seconds now = short_.blocks().back().end;
  for (Block& block : short_.blocks()) {  // from now on features only
    if (block.end > block.start) block.origin = (block.start + block.end) / 2;
    block.start = block.end = now;
    block.frames = 0;
  }
}

void WindowMemory::finish() {
  if (new_blocks() > 0) end_window();
}

MemoryBlocks WindowMemory::at(const Query& query) const {
  if (query.moment) {
    const auto& blocks = short_.blocks();
    return {long_.blocks(), {blocks.begin() + stayed_, blocks.end()}, {}};
  }
  WindowMemory finished = *this;
  finished.observe({});
  finished.finish();
  return {finished.long_.blocks(), {}, {}};
}

}  // namespace moviechat
