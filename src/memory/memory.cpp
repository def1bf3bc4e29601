#include "moviechat/memory/memory.h"

#include <ATen/ops/stack.h>

#include <algorithm>
#include <string>

#include "moviechat/support/error.h"

namespace moviechat {
namespace {

std::string shape_of(const torch::Tensor& tensor) {
  std::string text;
  for (const int64_t size : tensor.sizes()) {
    text += (text.empty() ? "[" : ", ") + std::to_string(size);
  }
  return text.empty() ? "[]" : text + "]";
}

void check_block(const Block& block, const std::vector<Block>& others) {
  if (!block.features.defined() || block.features.dim() != 2) {
    throw Error("memory: expected a block [N, C], got " +
                (block.features.defined() ? shape_of(block.features) : "no tensor"));
  }
  if (!others.empty() && others.back().features.sizes() != block.features.sizes()) {
    throw Error("memory: expected a block " + shape_of(others.back().features) +
                " like those before, got " + shape_of(block.features));
  }
}

void append_to(MemoryView& view, std::vector<torch::Tensor>& features, const Block& block) {
  features.push_back(block.features);
  view.spans.push_back(block.span());
}

}  // namespace

void MemoryOptions::check() const {
  check_ranges(*this, "memory.");
  if (short_capacity <= keep) {
    throw InputError("memory.short_capacity must exceed memory.keep (" + std::to_string(keep) +
                     "), got " + std::to_string(short_capacity));
  }
  if (long_capacity < keep) {
    throw InputError("memory.long_capacity must be at least memory.keep (" + std::to_string(keep) +
                     "), got " + std::to_string(long_capacity));
  }
}

void check_fits(const MemoryOptions& options, int64_t frames, int64_t positions) {
  if (options.consolidation != Consolidation::never || frames <= positions) return;
  throw InputError("without consolidation the model takes at most " + std::to_string(positions) +
                   " frames of a film; lower plan.frames (--plan uniform:" +
                   std::to_string(positions) + ") or choose memory.consolidation window");
}

MemoryBuilder::MemoryBuilder(MemoryOptions options)
    : options_(options), short_(options.similarity), long_(options.similarity) {
  options_.check();
}

void MemoryBuilder::add(Block block) {
  check_block(block, short_.size() > 0 ? short_.blocks() : long_.blocks());
  ++frames_;
  short_.append(std::move(block));
  if (options_.consolidation == Consolidation::window &&
      short_.size() - carried_ == options_.window()) {
    consolidate();
  }
}

void MemoryBuilder::end_clip() {
  if (options_.consolidation != Consolidation::clip) return;
  if (short_.size() > 0) {
    consolidate();
  } else {
    last_clip_.clear();
  }
}

void MemoryBuilder::finish() {
  if (options_.consolidation != Consolidation::never && short_.size() > carried_) consolidate();
}

void MemoryBuilder::consolidate() {
  double new_frames = 0;
  for (const Block& block : short_.blocks()) new_frames += block.frames;
  if (options_.consolidation == Consolidation::clip) last_clip_ = short_.blocks();

  short_.consolidate(options_.keep, Shares::equal, recorder(MergeEvent::Where::short_term));
  for (Block& block : short_.blocks()) {
    block.frames = new_frames / static_cast<double>(short_.size());
    long_.append(block);
  }
  fit_long_term();
  ++consolidations_;

  if (options_.consolidation == Consolidation::clip) {
    short_.clear();
    return;
  }
  carried_ = short_.size();
  const Seconds now = short_.blocks().back().end;
  for (Block& block : short_.blocks()) {  // from now on features only
    if (block.end > block.start) block.origin = (block.start + block.end) / 2;
    block.start = block.end = now;
    block.frames = 0;
  }
}

void MemoryBuilder::fit_long_term() {
  long_.consolidate(options_.long_capacity,
                    options_.merge == Merge::weighted ? Shares::by_frames : Shares::equal,
                    recorder(MergeEvent::Where::long_term));
}

MergeStepSink MemoryBuilder::recorder(MergeEvent::Where where) const {
  if (!observer_) return {};
  return [this, where](const MergeStep& step) { observer_({where, consolidations_, step}); };
}

std::vector<Block> MemoryBuilder::not_consolidated() const {
  if (options_.consolidation == Consolidation::clip && short_.size() == 0) return last_clip_;
  const auto& all = short_.blocks();
  return {all.begin() + carried_, all.end()};
}

MemoryView MemoryBuilder::global(int64_t positions) const {
  MemoryBuilder finished = *this;
  finished.observer_ = {};
  finished.finish();
  const bool never = options_.consolidation == Consolidation::never;
  const std::vector<Block>& blocks = never ? short_.blocks() : finished.long_.blocks();
  if (blocks.empty()) throw Error("memory: no frame was added, so there is nothing to ask about");

  check_fits(options_, short_.size(), positions);
  const int64_t total = static_cast<int64_t>(blocks.size());
  MemoryView view;
  view.dropped = std::max<int64_t>(0, total - positions);
  std::vector<torch::Tensor> features;
  for (int64_t i = view.dropped; i < total; ++i) append_to(view, features, blocks[i]);
  (never ? view.short_blocks : view.long_blocks) = total - view.dropped;
  view.blocks = torch::stack(features);  // [T, N, C]
  return view;
}

MemoryView MemoryBuilder::at_moment(const Block& current, int64_t positions) const {
  check_block(current, short_.size() > 0 ? short_.blocks() : long_.blocks());
  const std::vector<Block> recent = not_consolidated();
  const int64_t over =
      std::max<int64_t>(0, long_.size() + static_cast<int64_t>(recent.size()) + 1 - positions);
  const int64_t short_dropped = std::min<int64_t>(over, static_cast<int64_t>(recent.size()));
  const int64_t long_dropped = over - short_dropped;

  MemoryView view;
  std::vector<torch::Tensor> features;
  for (int64_t i = long_dropped; i < long_.size(); ++i) {
    append_to(view, features, long_.blocks()[i]);
  }
  view.long_blocks = view.size();
  for (size_t i = short_dropped; i < recent.size(); ++i) append_to(view, features, recent[i]);
  view.short_blocks = view.size() - view.long_blocks;
  append_to(view, features, current);
  view.current = true;
  view.dropped = over;
  view.blocks = torch::stack(features);  // [T, N, C]
  return view;
}

}  // namespace moviechat
