#pragma once

#include "moviechat/model/tensor.h"

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "moviechat/memory/block.h"
#include "moviechat/memory/consolidate.h"
#include "moviechat/memory/similarity.h"
#include "moviechat/support/fields.h"

namespace moviechat {

/// How much each of two long-term blocks counts when they become one.
enum class Merge {
  weighted,  // by the frames that each stands for
  mean,      // equally (papers)
};

template <>
struct EnumNames<Merge> {
  static constexpr std::array values{std::pair{std::string_view("weighted"), Merge::weighted},
                                     std::pair{std::string_view("mean"), Merge::mean}};
};

/// When short-term memory is consolidated into long-term memory.
enum class Consolidation {
  window,  // whenever it is full; what is left stays in it as well (paper)
  clip,    // at the end of each clip; then it is emptied (released code)
  never,   // no memory: every block is kept as it is (uniform sampling)
};

template <>
struct EnumNames<Consolidation> {
  static constexpr std::array values{std::pair{std::string_view("window"), Consolidation::window},
                                     std::pair{std::string_view("clip"), Consolidation::clip},
                                     std::pair{std::string_view("never"), Consolidation::never}};
};

struct MemoryOptions {
  int64_t short_capacity = 18;
  int64_t keep = 2;
  int64_t long_capacity = 256;
  Similarity similarity = Similarity::cosine;
  Merge merge = Merge::weighted;
  Consolidation consolidation = Consolidation::window;

  /// New frames that fill short-term memory: K − m.
  int64_t window() const { return short_capacity - keep; }
  /// InputError when the numbers contradict each other.
  void check() const;
};

/// InputError when so many frames of a film that is not consolidated are more than the reader has
/// `positions`.
void check_fits(const MemoryOptions& options, int64_t frames, int64_t positions);

inline constexpr int64_t kLargestCapacity = 65536;  // blocks; merging looks at all of them

template <class Visitor>
void visit_fields(MemoryOptions& o, Visitor& field) {
  field("short_capacity", o.short_capacity, {2, kLargestCapacity},
        "blocks in short-term memory (K)");
  field("keep", o.keep, {1, kLargestCapacity}, "blocks that a consolidation leaves (m)");
  field("long_capacity", o.long_capacity, {1, kLargestCapacity},
        "most blocks in long-term memory (L)");
  field("similarity", o.similarity, "how alike two blocks are");
  field("merge", o.merge, "how two long-term blocks become one");
  field("consolidation", o.consolidation, "when short-term memory moves to long-term memory");
}

/// What a question is asked about: blocks in time order with their spans. A value of its own.
struct MemoryView {
  torch::Tensor blocks;     // [T, N, C]: long-term, short-term, current
  std::vector<Span> spans;  // of each block
  int64_t long_blocks = 0;
  int64_t short_blocks = 0;
  bool current = false;  // whether the last block is the frame shown at the moment
  int64_t dropped = 0;   // blocks left out because there are no positions for them

  int64_t size() const { return static_cast<int64_t>(spans.size()); }
};

/// One merge as it happened.
struct MergeEvent {
  enum class Where { short_term, long_term } where = Where::short_term;
  int64_t consolidation = 0;  // how many times short-term memory had been consolidated before
  MergeStep step;
};
using MergeSink = std::function<void(const MergeEvent&)>;

/// Frames in time order → short- and long-term memory, at most K and L blocks for a film of any
/// length. A prefix state: memory before a moment is this object after the frames before it, so one
/// pass serves all moments. Copies share the tensors and cost O(K + L). One thread at a time.
///
/// Spans: a block stands for what was merged into it. Blocks that stay in short-term memory after a
/// consolidation bring their features to the next, but no time and no frames, which are already
/// those of their copies in long-term memory: a block made of such blocks alone has an empty span.
/// Of the frames that a window brought, each block that it leaves stands for an equal share.
class MemoryBuilder {
 public:
  explicit MemoryBuilder(MemoryOptions options);

  /// A frame's block; all have the same shape [N, C]. Window: consolidates when memory is full.
  void add(Block block);
  /// The blocks since the last call, perhaps none, were one clip. Only Consolidation::clip does
  /// anything here.
  void end_clip();
  /// Consolidates an incomplete window or clip: the film is over.
  void finish();

  /// Memory of the whole film so far, an incomplete window included; at most `positions` blocks
  /// (the oldest are dropped). This builder is left as it is.
  MemoryView global(int64_t positions) const;

  /// Memory at a moment: long-term blocks, the short-term blocks that are not yet consolidated
  /// (after a clip's end: the clip's own frames, un-merged), and the frame on screen. Over
  /// `positions` blocks: the oldest short-term blocks are dropped first, then the oldest long-term
  /// ones.
  MemoryView at_moment(const Block& current, int64_t positions) const;

  /// Is told every merge from now on.
  void observe(MergeSink sink) { observer_ = std::move(sink); }

  const MemoryOptions& options() const { return options_; }
  int64_t long_size() const { return long_.size(); }
  /// Blocks that the next consolidation merges, the ones left by the last included.
  int64_t short_size() const { return short_.size(); }
  int64_t frames() const { return frames_; }
  const std::vector<Block>& long_term() const { return long_.blocks(); }
  const std::vector<Block>& short_term() const { return short_.blocks(); }

 private:
  void consolidate();
  void fit_long_term();
  MergeStepSink recorder(MergeEvent::Where where) const;
  std::vector<Block> not_consolidated() const;

  MemoryOptions options_;
  BlockList short_;
  BlockList long_;
  int64_t carried_ = 0;           // short-term blocks that are in long-term memory as well
  std::vector<Block> last_clip_;  // un-merged, when clips are consolidated
  int64_t frames_ = 0;
  int64_t consolidations_ = 0;
  MergeSink observer_;
};

}  // namespace moviechat
