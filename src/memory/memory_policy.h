#pragma once

#include "bundle/tensor.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "memory/block.h"
#include "memory/block_list.h"
#include "memory/memory_view.h"
#include "moviechat/options.h"
#include "perception/perceived.h"

namespace moviechat {

/// A frame that joins memory, and the time that it stands for: until the next one comes.
struct Shot {
  Seconds start{0};
  Seconds end{0};
};

/// What is asked, and about which moment; nullopt: the whole film.
struct Query {
  std::optional<Seconds> moment;
  std::string question;
};

/// One merge as it happened.
struct MergeEvent {
  enum class Where { short_term, long_term } where = Where::short_term;
  int64_t consolidation = 0;  // how many times short-term memory had been consolidated before
  MergeStep step;
};
using MergeSink = std::function<void(const MergeEvent&)>;

/// Frames in time order → a bounded memory of a film of any length. A prefix state: the memory of a
/// moment is what at() gives after the frames before it, so that one pass serves all queries. One
/// thread at a time.
class MemoryPolicy {
 public:
  static constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

  virtual ~MemoryPolicy() = default;

  /// The next frame. Error for blocks of another shape than those before.
  void add(const Shot& shot, const Perceived& perceived);

  /// The frames since the last call, perhaps none, were one clip.
  virtual void end_clip() {}

  /// The film is over: what is incomplete is consolidated.
  virtual void finish() {}

  /// The memory of a query as if the film, or the clip, ended here; without the frame on screen.
  virtual MemoryBlocks at(const Query& query) const = 0;

  /// Is told every merge from now on, not those that only at() needs.
  void observe(MergeSink sink) { observer_ = std::move(sink); }

  const std::vector<Block>& long_term() const { return long_.blocks(); }
  /// Blocks that the next consolidation merges, the ones left by the last included.
  const std::vector<Block>& short_term() const { return short_.blocks(); }

 protected:
  MemoryPolicy(const MemoryPolicy&) = default;  // one of a base would lose the policy
  MemoryPolicy& operator=(const MemoryPolicy&) = default;
  explicit MemoryPolicy(const MemoryOptions& options);
  /// A block of short-term memory was added.
  virtual void added() {}

  /// Merges short-term memory down to m blocks, among which its `new_frames` are shared evenly, and
  /// copies them to long-term memory, which is merged down to L.
  void consolidate(double new_frames);

  MemoryOptions options_;
  BlockList short_;
  BlockList long_;

 private:
  MergeStepSink recorder(MergeEvent::Where where) const;

  int64_t consolidations_ = 0;
  MergeSink observer_;
};

/// The policy that options name. `most_blocks`: of the whole film that the memory reader takes.
/// InputError when the options contradict each other.
std::unique_ptr<MemoryPolicy> make_memory(const MemoryOptions& options,
                                          int64_t most_blocks = MemoryPolicy::kUnlimited);

}  // namespace moviechat
