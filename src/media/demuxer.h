#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/ffmpeg.h"
#include "media/film_index.h"
#include "media/film_io.h"
#include "media/film_source.h"
#include "media/frame_reader.h"
#include "media/packet_clock.h"
#include "moviechat/callbacks.h"
#include "moviechat/time.h"

namespace moviechat {

/// Timestamps beyond this, seen in damaged files only, are taken for missing, so that sums and
/// differences of timestamps do not overflow.
inline constexpr int64_t kLargestTimestamp = int64_t{1} << 60;

/// Durations beyond this are taken for wrong.
inline constexpr double kLongestFilm = 3600.0 * 24 * 1000;  // s

/// A film's source → packets of its one video stream, in the order of the file. Opens nothing but
/// that file: formats that name other files (playlists) are refused. One thread at a time.
class Demuxer {
 public:
  /// InputError when the source cannot be read, is no video, or has no video stream.
  explicit Demuxer(std::shared_ptr<FilmSource> source,
                   int64_t max_pixels = ReaderOptions().max_pixels);

  const AVStream& stream() const { return *stream_; }
  const AVFormatContext& context() const { return *context_; }
  std::string container() const { return context_->iformat->name; }
  bool is_mp4() const;

  /// The next packet of the video stream; false at the end. What cannot be read ends it, too.
  bool read(AVPacket& packet);

  /// Back to the first packet, as if opened anew; the source stays open.
  void rewind();

  /// Streams other than the video are read, too, so that `end_of_others` is known at the end.
  void read_others(bool wanted);
  /// When the last packet of any other stream ended, of those that were read; in seconds of the
  /// file's clock.
  std::optional<Seconds> end_of_others() const { return end_of_others_; }

  /// Goes to the key frame that the index has for `timestamp`, or an earlier one.
  bool seek(int64_t timestamp);

  /// How often the clock jumped so far, in formats where it may; timestamps go on all the same.
  int64_t clock_jumps() const { return clock_ ? clock_->jumps() : 0; }

  /// Timestamps of key frames in the file's index, ascending; empty where there is none.
  std::vector<int64_t> key_timestamps();

  /// The index of the video stream where the sample tables of an MP4 file prove it, without reading
  /// the film; else nullptr.
  std::shared_ptr<FilmIndex> proven_index();

  /// Decoding time of the first packet in the format's index that lies beyond the end of the file;
  /// nullopt when all are there, or there is no index.
  std::optional<int64_t> missing_from() const;

  /// What comes only once, as a live stream does, can neither be measured nor read again.
  bool live() const { return live_; }

  /// All of the film can be read twice without being fetched twice.
  bool is_kept() const { return source_->is_kept(); }

  /// A raw stream, whose frames have no times: they follow each other at a rate.
  bool untimed() const { return (context_->iformat->flags & AVFMT_NOTIMESTAMPS) != 0; }

  /// Nothing but the video stream is in the file, so that the header's duration is its own.
  bool only_stream() const { return context_->nb_streams == 1; }

  /// How often FFmpeg complained of what it read so far.
  int64_t complaints() const { return complaints_; }

  /// FFmpeg's reason when reading ended before the end, else "".
  const std::string& failure() const { return failure_; }

 private:
  const std::string& path() const { return source_->name(); }
  void find_format();
  void look_at_tables();
  void open_format();
  void check(int code) const;
  void choose_stream();
  bool begins_anew_soon();
  bool read_video(AVPacket& packet);
  bool read_any(AVPacket& packet);
  void note_end(const AVPacket& packet);
  double ticks() const { return av_q2d(stream_->time_base); }

  std::shared_ptr<FilmSource> source_;
  int64_t max_pixels_;
  const AVInputFormat* format_ = nullptr;
  bool live_ = false;
  struct Mp4Facts {
    std::vector<int64_t> auxiliary;  // tracks that belong to others
    bool edits_proven = false;       // edit lists change nothing
  };
  Mp4Facts mp4_;
  std::unique_ptr<FilmIo> io_;  // outlives context_, which reads from it; null: FFmpeg's own
  FormatContextPtr context_;
  AVStream* stream_ = nullptr;
  std::deque<PacketPtr> ahead_;  // packets of the video that were read early
  std::optional<PacketClock> clock_;
  std::optional<Seconds> end_of_others_;
  int64_t complaints_ = 0;
  std::string failure_;
};

}  // namespace moviechat
