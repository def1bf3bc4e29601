#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <optional>
#include <vector>

#include "base/stage_costs.h"
#include "base/workers.h"
#include "moviechat/callbacks.h"
#include "perception/frame_source.h"
#include "perception/perceived.h"
#include "plan/timeline.h"

namespace moviechat {

struct PerceiverOptions {
  int64_t batch = 16;          // frames encoded together
  int64_t encoders = 1;        // batches encoded side by side, a thread each
  int64_t frames_to_read = 0;  // for progress; 0: unknown
  ProgressSink progress = nullptr;
  const CancelFlag* cancel = nullptr;
  std::function<void()> between_frames = nullptr;  // when moments may join the timeline
};

/// Steps of a timeline → the same steps in their order, with the blocks of their frames. A frame is
/// read and encoded once, however many steps need it. Frames are read into one batch while those
/// before are encoded; of a film that is read as it comes, nothing waits for a batch to fill when a
/// moment has what it needs. Holds a batch more than are encoded at a time. One thread at a time.
class Perceiver {
 public:
  struct Perception {
    Step step;
    Perceived perceived;  // undefined for steps without a frame
  };

  /// All outlive the perceiver.
  Perceiver(FrameSource& source, Timeline& timeline, const PerceiverOptions& options,
            StageCosts& costs);

  /// nullopt at the end of the timeline, or of a film without a known end.
  std::optional<Perception> next();

  Seconds seen() const { return newest_.end; }  // end of the last frame that was read
  int64_t frames_encoded() const { return frames_encoded_; }

 private:
  /// A step and the frame that it needs: a slot of its batch, or kPrevious.
  struct Pending {
    Step step;
    int64_t slot = 0;
  };
  static constexpr int64_t kPrevious = -1;  // the last frame of the batch before

  struct Encoded {
    torch::Tensor blocks;  // [used, N, C]
    double seconds = 0;
  };
  struct Batch {
    torch::Tensor slots;  // undefined until the first frame comes
    int64_t used = 0;     // slots that hold a frame
    std::vector<Pending> pending;
    std::future<Encoded> encoded;  // of the slots in use, if there are any
  };

  void read_on();
  bool fetch(const Step& step);
  bool is_beyond(const Shown& shown, const Step& step) const;
  void hand_over();
  Encoded encode(const torch::Tensor& slots) const;
  void take_back();

  /// The frame that was read last.
  struct Newest {
    int64_t slot = kPrevious;  // of the batch that is filled
    std::optional<int64_t> pts;
    Seconds end{0};
    torch::Tensor previous;  // [N, C] of the batch before's last frame
  };

  FrameSource& source_;
  Timeline& timeline_;
  PerceiverOptions options_;
  StageCosts& costs_;
  Batch filling_;
  std::deque<Batch> encoding_;  // the longest first
  std::deque<Perception> ready_;
  bool ended_ = false;
  int64_t frames_read_ = 0;
  int64_t frames_encoded_ = 0;
  Newest newest_;
  Workers encoders_;  // last: they use what is above
};

}  // namespace moviechat
