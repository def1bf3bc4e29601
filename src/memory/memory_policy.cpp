#include "memory/memory_policy.h"

#include <fmt/format.h>

#include <sstream>

#include "memory/keep_all.h"
#include "memory/per_clip.h"
#include "memory/window.h"
#include "moviechat/error.h"

namespace moviechat {
namespace {

std::string shape_of(const torch::Tensor& tensor) {
  if (!tensor.defined()) return "no tensor";
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

}  // namespace

MemoryPolicy::MemoryPolicy(const MemoryOptions& options)
    : options_(options), short_(options.similarity), long_(options.similarity) {
  options_.check();
}

void MemoryPolicy::add(const Shot& shot, const Perceived& perceived) {
  const torch::Tensor& block = perceived.blocks;
  if (!block.defined() || block.dim() != 2) {
    throw Error("memory: expected a block [N, C], got " + shape_of(block));
  }
  const BlockList& others = short_.size() > 0 ? short_ : long_;
  if (others.size() > 0 && others.blocks().back().features.sizes() != block.sizes()) {
    throw Error(fmt::format("memory: expected a block {} like those before, got {}",
                            shape_of(others.blocks().back().features), shape_of(block)));
  }
  short_.append({block, shot.start, shot.end});
  added();
}

void MemoryPolicy::consolidate(double new_frames) {
  short_.consolidate(options_.keep, Merge::mean, recorder(MergeEvent::Where::short_term));
  for (Block& block : short_.blocks()) {
    block.frames = new_frames / static_cast<double>(short_.size());
    long_.append(block);
  }
  long_.consolidate(options_.long_capacity, options_.merge, recorder(MergeEvent::Where::long_term));
  ++consolidations_;
}

MergeStepSink MemoryPolicy::recorder(MergeEvent::Where where) const {
  if (!observer_) return {};
  return [this, where](const MergeStep& step) { observer_({where, consolidations_, step}); };
}

std::unique_ptr<MemoryPolicy> make_memory(const MemoryOptions& options, int64_t most_blocks) {
  switch (options.policy) {
    case Policy::window:
      return std::make_unique<WindowMemory>(options);
    case Policy::per_clip:
      return std::make_unique<PerClipMemory>(options);
    case Policy::keep_all:
      return std::make_unique<KeepAllMemory>(options, most_blocks);
  }
  throw Error("memory: a policy without a class");
}

}  // namespace moviechat
