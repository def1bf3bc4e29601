#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "moviechat/support/callbacks.h"
#include "moviechat/support/fields.h"
#include "moviechat/support/seconds.h"
#include "moviechat/video/film_index.h"
#include "moviechat/video/rational.h"
#include "moviechat/video/sampling_plan.h"

namespace moviechat {

/// The libswscale filter that resizes frames; the bundle says which one its model was trained on.
enum class ResizeFilter { bilinear, bicubic };
template <>
struct EnumNames<ResizeFilter> {
  static constexpr std::array values{
      std::pair{std::string_view("bilinear"), ResizeFilter::bilinear},
      std::pair{std::string_view("bicubic"), ResizeFilter::bicubic}};
};

/// What a file says of its video, and what was found out about it.
struct VideoInfo {
  std::string path;
  std::string container;  // FFmpeg's name of the format, "matroska,webm"
  std::string codec;      // "h264"
  int64_t width = 0;      // as shown: after rotation
  int64_t height = 0;
  Rational fps;                            // average
  Seconds duration{0};                     // from the first shown frame; 0: unknown (a live stream)
  int64_t frames = 0;                      // that are shown; 0: unknown
  std::shared_ptr<const FilmIndex> index;  // null where packets do not say when frames are shown
  bool duration_measured = false;          // the header had none, or a wrong one
  std::optional<Seconds> promised;  // the header's length, when the film is cut off before it
  Seconds start{0};                 // timestamp of the first shown frame in the file
  int64_t rotation = 0;      // degrees clockwise that the file asks for; already applied to frames
  std::string pixel_format;  // "yuv420p10le"
  int64_t bit_depth = 8;
  std::string color_range;  // FFmpeg's names; "" where the file does not say
  std::string color_matrix;
  std::string color_transfer;
  std::string color_primaries;

  Timing timing() const { return {duration, fps, frames, index}; }
  bool open_ended() const { return !(duration > Seconds(0)); }
};

class FilmSource;

struct ReaderOptions {
  int64_t size = 224;  // S: frames are S×S, the aspect ratio not kept; 0: as they are
  ResizeFilter filter = ResizeFilter::bilinear;
  int64_t threads = 0;  // of the decoder; 0: one a core
  bool strict = false;
  bool allow_url = false;
  bool allow_seek = true;
  int64_t max_pixels = int64_t{1} << 26;  // of a frame; 8K video has half as many
  int64_t spool = int64_t{8} << 30;       // bytes of a film kept in a temporary file; 0: none
  double patience = 30;                   // s that a server may take for what takes none
  bool as_it_comes = false;  // frames in order are all that is wanted, no end, no way back
  WarningSink warn;          // what was lost of a damaged file, odd colours
  ProgressSink progress;     // of a pass over a film, or of bringing it here
  const CancelFlag* cancel = nullptr;  // looked at with every packet
  std::shared_ptr<FilmSource> source;  // the film's, opened already; else it is opened by its path
};

/// The settings video.*; size and filter are the bundle's.
template <class Visitor>
void visit_fields(ReaderOptions& o, Visitor& field) {
  field("threads", o.threads, {0, 1024}, "threads of the video decoder; 0: one a core");
  field("strict", o.strict, "a damaged or truncated video is an error, not a warning");
  field("allow_url", o.allow_url, "open http, https and rtsp addresses");
  field("allow_seek", o.allow_seek, "skip what a sparse plan does not need");
  field("max_pixels", o.max_pixels, {1, int64_t{1} << 28},
        "pixels of a frame, at most; a decoder may hold 20 frames of 1.5 bytes a pixel or more");
  field("spool", o.spool, {0, int64_t{1} << 50},
        "bytes of a film from a pipe or address that are kept in a temporary file (in TMPDIR), at "
        "most; 0: none, so that it can only be read as it comes");
  field("patience", o.patience, {0, 3600, false},
        "seconds after which a server is given up that sends less than 1000 bytes a second");
}

/// One frame on screen from `time` to `end`.
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

/// Work done so far.
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

  /// Those it was made with and the film's source, which others can read, too.
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

  /// What was lost so far, one line; "" when nothing was. `warn` gets it once at the video's end or
  /// from finish(), whichever comes first.
  std::string damage() const;
  /// Frames that are not there, by the gaps that they leave in a constant rate.
  int64_t frames_missing() const;
  /// Says what was lost when the end of the video is not read.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moviechat
