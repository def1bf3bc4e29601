#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "media/codec.h"
#include "media/demuxer.h"
#include "media/ffmpeg.h"
#include "media/frame_reader.h"
#include "media/packet_history.h"

namespace moviechat {

/// Packets of a demuxer → frames in the order of their show. Errors of single packets are counted
/// in `stats` and passed over. One thread at a time.
///
/// The decoder's own threads do not change what comes out. Undamaged packets are decoded by all of
/// them; concealment of an error copies from pictures that another thread may not have finished,
/// so that where one shows, its group of pictures and the one before are decoded again by a single
/// thread, up to the next group that refers to nothing before it.
class Decoder {
 public:
  Decoder(Demuxer& demuxer, const std::string& path, const ReaderOptions& options,
          ReadStats& stats);

  /// The next frame, or nullptr at the end. Packets are read as needed.
  FramePtr next();

  /// Forgets what was read; to be called after a seek or with a fresh demuxer at its start.
  void restart(Demuxer& demuxer, bool after_seek);

  /// Position in the file: the timestamp of the last packet read.
  int64_t position() const { return reading_.position; }

  /// After a seek: timestamp of the key frame from which frames are whole. Frames shown before it
  /// may lack what they refer to.
  int64_t whole_from() const { return reading_.whole_from; }

  /// After a seek: the frame refers to pictures before the key frame, or is still being refreshed.
  static bool lacks_references(const AVFrame& frame) {
    return (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0;
  }

  /// A raw stream that does not say its rate, as far as the frames so far tell.
  bool rate_is_guessed() const { return demuxer_->untimed() && fast_.lacks_rate(); }

  /// All packets so far had a presentation timestamp, as a seek needs them.
  bool timed() const { return timed_; }

 private:
  /// State of reading packets since the last restart.
  struct Reading {
    int64_t position = INT64_MIN;
    int64_t whole_from = INT64_MIN;
    int64_t leading = 0;  // packets after a seek that may refer to pictures before its key frame
    bool wait_for_key = false;
    bool key_read = false;
    bool read_out = false;
  };
  /// Frames are held back: one that comes later on screen may be what they refer to, and show an
  /// error.
  struct HeldFrame {
    FramePtr frame;
    bool repaired = false;  // decoded with errors
  };
  /// State of decoding since the last restart. Packets are numbered as in the history.
  struct Decoding {
    std::optional<Codec> careful;  // with one thread; while it is there, all packets go to it
    bool leaving = false;          // the last frames of `careful` are coming out
    int64_t fed = 0;               // the next packet to be decoded
    int64_t careful_until = 0;     // packets before it are decoded by one thread in any case
    int64_t errors_counted = 0;    // of packets before it
    int64_t excused = 0;           // errors taken for those of leading packets
    bool key_fed = false;
    bool again = false;   // the packet fed last was fed before
    bool unsure = false;  // frames may lack what they refer to, which is no damage
    int errors_at_end = 0;
    bool drained = false;
    bool ended = false;
  };
  /// Frames on their way out since the last restart.
  struct Output {
    std::deque<HeldFrame> ready;
    bool any_given = false;
    std::optional<int64_t> given;       // identity of the frame given last
    std::optional<int64_t> skip_until;  // frames up to this one were given before
  };

  Codec make_codec(int threads, Codec::Errors errors) const;
  Codec& codec() { return decoding_.careful ? *decoding_.careful : fast_; }
  size_t most_ahead() const;
  bool read_packet();
  bool refers_to_nothing_before(int64_t key);
  void feed();
  void decode_on();
  void take(FramePtr frame);
  void lost();
  bool decode_again();

  Demuxer* demuxer_;
  std::string path_;
  int64_t max_pixels_;
  ReadStats& stats_;
  bool repeatable_;  // an error in a picture may spread to others
  Codec fast_;
  PacketHistory history_;
  int64_t high_water_ = INT64_MIN;  // packets up to here were counted before
  bool timed_ = true;
  Reading reading_;
  Decoding decoding_;
  Output output_;
};

}  // namespace moviechat
