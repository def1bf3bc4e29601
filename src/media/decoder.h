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
  int64_t position() const { return position_; }

  /// After a seek: timestamp of the key frame from which frames are whole. Frames shown before it
  /// may lack what they refer to.
  int64_t whole_from() const { return whole_from_; }

  /// After a seek: the frame refers to pictures before the key frame, or is still being refreshed.
  static bool lacks_references(const AVFrame& frame) {
    return (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0;
  }

  /// A raw stream that does not say its rate, as far as the frames so far tell.
  bool rate_is_guessed() const { return demuxer_->untimed() && fast_.lacks_rate(); }

  /// All packets so far had a presentation timestamp, as a seek needs them.
  bool timed() const { return timed_; }

 private:
  Codec& codec() { return careful_ ? *careful_ : fast_; }
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
  PacketPtr packet_;
  bool repeatable_;  // an error in a picture may spread to others
  Codec fast_;
  std::optional<Codec> careful_;  // with one thread; while it is there, all packets go to it

  PacketHistory history_;
  int64_t fed_ = 0;             // number of the next packet of the history to be decoded
  int64_t careful_until_ = 0;   // packets before it are decoded by one thread in any case
  int64_t errors_counted_ = 0;  // of packets before it
  bool leaving_ = false;        // the last frames of `careful_` are coming out

  // Frames are held back: one that comes later on screen may be what they refer to, and show an
  // error.
  struct Ready {
    FramePtr frame;
    bool repaired = false;  // decoded with errors
  };
  std::deque<Ready> ready_;
  size_t most_ahead_ = 0;
  bool any_given_ = false;
  std::optional<int64_t> given_;       // identity of the frame given last
  std::optional<int64_t> skip_until_;  // frames up to this one were given before

  int64_t position_ = INT64_MIN;
  int64_t high_water_ = INT64_MIN;  // packets up to here were counted before
  int64_t whole_from_ = INT64_MIN;
  int64_t leading_ = 0;  // packets after a seek that may refer to pictures before its key frame
  int64_t excused_ = 0;  // errors taken for theirs
  int errors_at_end_ = 0;
  bool key_read_ = false;
  bool key_fed_ = false;
  bool wait_for_key_ = false;
  bool unsure_ = false;  // frames may lack what they refer to, which is no damage
  bool timed_ = true;
  bool again_ = false;  // the packet fed last was fed before
  bool read_out_ = false;
  bool drained_ = false;
  bool ended_ = false;
};

}  // namespace moviechat
