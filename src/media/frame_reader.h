#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "moviechat/time.h"
#include "moviechat/video.h"

namespace moviechat {

/// Frame on screen from `time` to `end`.
struct Shown {
  int64_t index = 0;  // counted in order of show; without a film index round(time·fps)
  int64_t pts = 0;    // presentation timestamp in the stream's time base
  Seconds time{0};    // since the first shown frame
  Seconds end{0};     // when the next frame comes
  bool operator==(const Shown&) const = default;
};

/// Whether a sample is so long after the end of what is shown for it, the last frame, that it is
/// not in the file: the header promised more than there is.
inline bool is_beyond_end(const VideoInfo& video, Seconds sample, const Shown& shown) {
  return sample - shown.end > std::max(Seconds(1), 0.02 * video.duration);
}

/// Counts of the work done so far.
struct ReadStats {
  int64_t packets_read = 0;
  int64_t packets_lost = 0;     // could not be decoded
  int64_t frames_repaired = 0;  // decoded with errors that the decoder concealed
  int64_t frames_decoded = 0;
  int64_t frames_converted = 0;  // resized to RGB
  int64_t seeks = 0;             // jumps in the file, going back to its start included
};

/// Times → RGB frames of one video. Keeps a cursor and one frame ahead of it: reading forward never
/// seeks; a jump does when the file's index shows that it skips a whole group of pictures, and
/// gives the same frames. Memory: a few frames, whatever the length. One thread at a time.
class FrameReader {
 public:
  /// Opens a file by its content, whatever its name, and decodes its first frame. InputError when
  /// there is no video in it.
  explicit FrameReader(const std::filesystem::path& path, ReaderOptions options = {});
  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(FrameReader&&) noexcept;
  ~FrameReader();

  const VideoInfo& info() const;

  /// The options that were given, with the film's source, which other readers may share.
  const ReaderOptions& options() const;

  /// The size of the frames that are given.
  int64_t width() const;
  int64_t height() const;
  size_t frame_bytes() const { return static_cast<size_t>(width() * height() * 3); }

  /// The frame on screen at `time`: its pts <= time < the next one's. Before the film: the first;
  /// after it: the last. `rgb` [height, width, 3] gets its pixels unless it is empty.
  Shown shown_at(Seconds time, std::span<uint8_t> rgb = {});
  Shown shown_at(int64_t frame_index, std::span<uint8_t> rgb = {}) = delete;  // is not a time

  /// The frame after the last one given, the first at first; nullopt at the end of the video.
  std::optional<Shown> next(std::span<uint8_t> rgb = {});

  const ReadStats& stats() const;

  /// Losses so far in one line; "" without any. `warn` gets it once at the video's end or
  /// from finish(), whichever comes first.
  std::string damage() const;
  /// Number of missing frames, by the gaps that they leave in a constant rate.
  int64_t frames_missing() const;
  /// Warns of losses where the end of the video is not read.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moviechat
