#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "moviechat/support/callbacks.h"
#include "moviechat/support/seconds.h"
#include "moviechat/video/film_index.h"
#include "video/ffmpeg.h"

namespace moviechat {

/// Timestamps beyond this, seen in damaged files only, are taken for missing, so that sums and
/// differences of timestamps do not overflow.
inline constexpr int64_t kLargestTimestamp = int64_t{1} << 60;

/// Durations beyond this are taken for wrong.
inline constexpr double kLongestFilm = 3600.0 * 24 * 1000;  // s

/// A file or address → packets of its one video stream, in the order of the file. Opens nothing but
/// that file: formats that name other files (playlists) are refused. One thread at a time.
class Demuxer {
 public:
  /// InputError when the path cannot be read, is no video, or has no video stream.
  Demuxer(const std::string& path, bool allow_url, const CancelFlag* cancel);

  const AVStream& stream() const { return *stream_; }
  std::string container() const { return context_->iformat->name; }

  /// The next packet of the video stream; false at the end. What cannot be read ends it, too.
  bool read(AVPacket& packet);

  /// Reads on from `timestamp`: when the last packet of any stream ends, sound and subtitles too;
  /// nullopt when there is none.
  std::optional<Seconds> end_of_all_streams(int64_t timestamp);

  /// Timestamps at `count` places all over the file, one each where there is one; reading is
  /// disturbed.
  std::vector<int64_t> probe(int64_t count);

  /// Goes to the key frame that the index has for `timestamp`, or an earlier one.
  bool seek(int64_t timestamp);

  /// What the header says: from `first` on, the first shown frame's timestamp; nullopt when it says
  /// nothing, or guesses from the bit rate.
  std::optional<Seconds> stated_duration(int64_t first) const;

  /// The same where it is the video stream's alone, as its header or a tag of Matroska's says, so
  /// that an earlier end means a truncated file.
  std::optional<Seconds> stated_video_duration(int64_t first) const;

  /// The header says no duration, and FFmpeg's is the last timestamp that it found: packets of
  /// several frames have one, so that some frames may come after it.
  bool end_is_guessed() const;

  /// MPEG streams: timestamps may start over, as where recordings were put one behind the other.
  bool may_start_over() const { return container() == "mpegts" || container() == "mpeg"; }

  /// Timestamps of key frames in the file's index, ascending; empty where there is none.
  std::vector<int64_t> key_timestamps();

  /// End of the last frame in the file's index, which lists every frame in some formats.
  std::optional<int64_t> index_end() const;

  /// The index of the video stream where the sample tables of an MP4 file prove it, without reading
  /// the film; else nullptr. `first`: the timestamp of the first shown frame.
  std::shared_ptr<const FilmIndex> proven_index(int64_t first);

  /// An address of no known size, a live stream, can neither be measured nor read again.
  bool live() const { return live_; }

  /// Nothing but the video stream is in the file, so that the header's duration is its own.
  bool only_stream() const { return context_->nb_streams == 1; }

  /// FFmpeg's reason when reading ended before the end, else "".
  const std::string& failure() const { return failure_; }

 private:
  struct Guard {  // what FFmpeg's callbacks see; its address must not move
    const CancelFlag* cancel = nullptr;
  };
  void open(const std::string& url);
  void choose_stream();
  bool read_any(AVPacket& packet);
  bool counts_from_zero() const;
  double ticks() const { return av_q2d(stream_->time_base); }

  std::string path_;
  bool live_ = false;
  bool edits_proven_ = false;  // an MP4 file's edit lists change nothing
  std::unique_ptr<Guard> guard_;
  IoContextPtr io_;  // outlives context_, which reads from it
  FormatContextPtr context_;
  AVStream* stream_ = nullptr;
  std::string failure_;
};

/// First and last of what a pass over all packets finds; no frame is decoded.
struct Measured {
  int64_t end = 0;      // latest end of a packet's show, in the stream's time base
  int64_t packets = 0;  // of the video stream
  bool timed = false;   // packets have presentation timestamps
};
Measured measure(Demuxer& demuxer);

}  // namespace moviechat
