#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "media/demuxer.h"
#include "moviechat/time.h"

namespace moviechat {

/// Length that a film's header claims, from the first shown frame's timestamp `first` on; nullopt
/// when it claims none, or FFmpeg guessed it from the bit rate. It counts the longest stream.
std::optional<Seconds> claimed_duration(const Demuxer& demuxer, int64_t first);

/// Claimed length of the video stream alone, where the header has it (MP4, AVI, Matroska with
/// tags).
std::optional<Seconds> claimed_video_duration(const Demuxer& demuxer, int64_t first);

/// Whether the header's claim was written together with the film's end, so that a film that ends
/// earlier is cut off. Not so for FLV, whose length is a note of the writer's, for a Matroska file
/// that is as long in bytes as it says, and for streams without a header.
bool is_claim_binding(Demuxer& demuxer);

/// Proof in the file's bytes that its end is missing, whatever its header claims: "it ends in the
/// middle of a packet"; "" when they do not.
std::string torn_end(Demuxer& demuxer);

}  // namespace moviechat
