#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/error.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/log.h>
#include <libavutil/mathematics.h>
#include <libavutil/opt.h>
#include <libavutil/parseutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <cstring>
#include <memory>
#include <string>

#include "base/free_by.h"
#include "moviechat/error.h"
#include "moviechat/time.h"

namespace moviechat {

template <auto Free>  // for C functions that take T** and null it
struct FreeByAddress {
  template <class T>
  void operator()(T* pointer) const {
    Free(&pointer);
  }
};

using PacketPtr = std::unique_ptr<AVPacket, FreeByAddress<av_packet_free>>;
using FramePtr = std::unique_ptr<AVFrame, FreeByAddress<av_frame_free>>;
using CodecContextPtr = std::unique_ptr<AVCodecContext, FreeByAddress<avcodec_free_context>>;
using FormatContextPtr = std::unique_ptr<AVFormatContext, FreeByAddress<avformat_close_input>>;
using ScalerPtr = std::unique_ptr<SwsContext, FreeBy<sws_freeContext>>;

/// FFmpeg dictionary of options. A C function takes out those that it knows.
class Dictionary {
 public:
  Dictionary() = default;
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;
  ~Dictionary() { av_dict_free(&entries_); }
  void set(const char* key, const std::string& value) {
    av_dict_set(&entries_, key, value.c_str(), 0);
  }
  AVDictionary** address() { return &entries_; }

 private:
  AVDictionary* entries_ = nullptr;
};

/// FFmpeg's text for a return code.
std::string av_reason(int code);

/// Throws for an allocation of FFmpeg that failed: InputError where memory is plenty, as a damaged
/// file made FFmpeg ask for an absurd amount, else OutOfResources.
[[noreturn]] void throw_out_of_memory(const std::string& doing, const std::string& path);

/// `code`, or Error "`doing`: the reason" when it is one; out of memory is an Error, too.
int av_check(int code, const std::string& doing);

/// `pointer`, or Error when an allocation failed.
template <class T>
T* av_allocated(T* pointer) {
  if (pointer == nullptr) throw Error("out of memory while reading a video");
  return pointer;
}

/// FFmpeg prints to stderr unless told otherwise, for the whole process; the library prints
/// nothing.
void silence_ffmpeg();

/// Counts into `count` what FFmpeg warns of in this thread as long as it exists: some demuxers find
/// their way again after damage without telling it in another way.
class ComplaintCount {
 public:
  explicit ComplaintCount(int64_t& count);
  ~ComplaintCount();
  ComplaintCount(const ComplaintCount&) = delete;
  ComplaintCount& operator=(const ComplaintCount&) = delete;
};

/// A tag of a frame; damaged streams put numbers there that are none of the enumeration's.
template <class Tag>
Tag known_tag(const Tag& field, Tag count, Tag unspecified) {
  int value = 0;
  static_assert(sizeof value == sizeof field);
  std::memcpy(&value, &field, sizeof value);
  return value >= 0 && value < static_cast<int>(count) ? static_cast<Tag>(value) : unspecified;
}
inline AVColorRange color_range(const AVFrame& frame) {
  return known_tag(frame.color_range, AVCOL_RANGE_NB, AVCOL_RANGE_UNSPECIFIED);
}
inline AVColorSpace color_matrix(const AVFrame& frame) {
  return known_tag(frame.colorspace, AVCOL_SPC_NB, AVCOL_SPC_UNSPECIFIED);
}
inline AVColorTransferCharacteristic color_transfer(const AVFrame& frame) {
  return known_tag(frame.color_trc, AVCOL_TRC_NB, AVCOL_TRC_UNSPECIFIED);
}
inline AVColorPrimaries color_primaries(const AVFrame& frame) {
  return known_tag(frame.color_primaries, AVCOL_PRI_NB, AVCOL_PRI_UNSPECIFIED);
}

inline Rational from_av(AVRational r) { return {r.num, r.den}; }

/// A name of FFmpeg's, or "" for an unknown value.
inline std::string name_or_empty(const char* name) { return name == nullptr ? "" : name; }

}  // namespace moviechat
