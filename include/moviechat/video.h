#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "moviechat/callbacks.h"
#include "moviechat/fields.h"
#include "moviechat/time.h"

namespace moviechat {

class FilmIndex;

/// Length, rate and frames of a film: what a sampling plan needs.
struct Timing {
  Seconds duration{0};
  Rational fps;
  int64_t frames = 0;
  std::shared_ptr<const FilmIndex> index = nullptr;  // null: frames come at a constant rate
};

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
  field("strict", o.strict, "a damaged or truncated film is an error, not a warning");
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

/// Times of frames of features, where the file does not say or is wrong. At most one.
struct FeatureTiming {
  std::optional<double> fps;        // so many a second
  std::optional<Seconds> duration;  // evenly over a film of this length
};

/// Source of the times of frames of features.
enum class TimesFrom { given, file, nowhere };
template <>
struct EnumNames<TimesFrom> {
  static constexpr std::array values{std::pair{std::string_view("given"), TimesFrom::given},
                                     std::pair{std::string_view("file"), TimesFrom::file},
                                     std::pair{std::string_view("nowhere"), TimesFrom::nowhere}};
};

}  // namespace moviechat
