#pragma once

#include "media/ffmpeg.h"

namespace moviechat {

/// Every packet of the codec is a picture for itself.
bool is_intra_only(AVCodecID codec);

/// A key packet after which, but for frames shown before it, no picture refers to one before it.
/// H.264 marks as key packets, too, where decoding may begin and pictures get whole after a while
/// (recovery points); only its IDR pictures count.
bool starts_anew(const AVPacket& key, const AVCodecParameters& codec);

}  // namespace moviechat
