#pragma once

#include <cstdint>
#include <string>

#include "moviechat/video/frame_reader.h"
#include "video/demuxer.h"
#include "video/ffmpeg.h"

namespace moviechat {

/// Packets of a demuxer → frames in the order of their show. Errors of single packets are counted
/// in `stats` and passed over. One thread at a time; the decoder's own threads do not change what
/// comes out.
class Decoder {
 public:
  Decoder(Demuxer& demuxer, const std::string& path, int64_t threads, ReadStats& stats);

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

  /// All packets so far had a presentation timestamp, as a seek needs them.
  bool timed() const { return timed_; }

 private:
  void feed();
  void lost();

  Demuxer* demuxer_;
  std::string path_;
  ReadStats& stats_;
  CodecContextPtr codec_;
  PacketPtr packet_;
  int64_t position_ = INT64_MIN;
  int64_t high_water_ = INT64_MIN;  // packets up to here were counted before
  int64_t whole_from_ = INT64_MIN;
  bool key_seen_ = false;
  bool wait_for_key_ = false;
  bool timed_ = true;
  bool again_ = false;  // the packet fed last was fed before
  bool drained_ = false;
};

}  // namespace moviechat
