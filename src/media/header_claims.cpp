#include "media/header_claims.h"

#include <bit>
#include <string_view>

namespace moviechat {
namespace {

bool is_matroska(const Demuxer& demuxer) { return demuxer.container() == "matroska,webm"; }

double tick(const Demuxer& demuxer) { return av_q2d(demuxer.stream().time_base); }

/// Matroska's durations count from time 0, whenever the first frame comes. mkvmerge, which leaves
/// tags of its own, gives them from the first frame to the last instead, as other formats do.
bool counts_from_zero(const Demuxer& demuxer) {
  const char* mark = "_STATISTICS_WRITING_APP";
  return is_matroska(demuxer) &&
         av_dict_get(demuxer.stream().metadata, mark, nullptr, 0) == nullptr;
}

/// An EBML number of 1 to 8 bytes (RFC 8794, 4); nullopt for one that says "unknown".
std::optional<int64_t> ebml_size(AVIOContext& io) {
  const auto first = static_cast<uint8_t>(avio_r8(&io));
  if (first == 0) return std::nullopt;
  const int bytes = std::countl_zero(first) + 1;
  int64_t size = first & (0xff >> bytes);
  for (int i = 1; i < bytes; ++i) size = size << 8 | avio_r8(&io);
  const int64_t unknown = (int64_t{1} << (7 * bytes)) - 1;
  return size == unknown ? std::nullopt : std::optional(size);
}

/// A Matroska file that has as many bytes as its segment says (RFC 9559, 4.5).
bool has_whole_segment(AVIOContext& io) {
  constexpr unsigned kEbml = 0x1a45dfa3;
  constexpr unsigned kSegment = 0x18538067;
  if (avio_seek(&io, 0, SEEK_SET) < 0 || avio_rb32(&io) != kEbml) return false;
  const auto header = ebml_size(io);
  if (!header || avio_skip(&io, *header) < 0 || avio_rb32(&io) != kSegment) return false;
  const auto segment = ebml_size(io);
  return segment && *segment <= avio_size(&io) - avio_tell(&io);
}

/// Calls `look` with the demuxer's bytes, and goes back to where it was.
template <class Look>
auto at_any_place(Demuxer& demuxer, const Look& look) {
  AVIOContext& io = *demuxer.context().pb;
  const int64_t at = avio_tell(&io);
  const auto seen = look(io);
  avio_seek(&io, at, SEEK_SET);
  return seen;
}

bool ends_inside_a_transport_packet(const Demuxer& demuxer, AVIOContext& io) {
  int64_t packet = 0;
  constexpr uint8_t kSync = 0x47;  // ISO 13818-1, 2.4.3.3
  if (av_opt_get_int(demuxer.context().priv_data, "ts_packetsize", 0, &packet) < 0 || packet <= 0) {
    return false;
  }
  const int64_t sync = packet == 192 ? 4 : 0;  // m2ts has a time stamp before each
  if (avio_seek(&io, sync, SEEK_SET) < 0 || avio_r8(&io) != kSync) return false;
  return avio_size(&io) % packet != 0;
}

/// GIF89a, 27: the trailer. Writers pad with zeros.
bool lacks_gif_trailer(AVIOContext& io) {
  constexpr uint8_t kTrailer = 0x3b;
  int64_t at = avio_size(&io);
  while (--at > 0) {
    if (avio_seek(&io, at, SEEK_SET) < 0) return false;
    const int byte = avio_r8(&io);
    if (byte != 0) return byte != kTrailer;
  }
  return true;
}

}  // namespace

std::optional<Seconds> claimed_duration(const Demuxer& demuxer, int64_t first) {
  const AVFormatContext& context = demuxer.context();
  if (context.duration == AV_NOPTS_VALUE || context.duration <= 0 ||
      context.duration_estimation_method == AVFMT_DURATION_FROM_BITRATE) {
    return std::nullopt;
  }
  const double begin = counts_from_zero(demuxer) || context.start_time == AV_NOPTS_VALUE
                           ? 0
                           : static_cast<double>(context.start_time) / AV_TIME_BASE;
  double duration = static_cast<double>(context.duration) / AV_TIME_BASE;
  const double late = static_cast<double>(first) * tick(demuxer) - begin;
  if (late > 0 && late < duration) duration -= late;
  if (!(duration > 0) || duration > kLongestFilm) return std::nullopt;
  return Seconds(duration);
}

std::optional<Seconds> claimed_video_duration(const Demuxer& demuxer, int64_t first) {
  const AVStream& stream = demuxer.stream();
  if (is_matroska(demuxer)) {
    const AVDictionaryEntry* tag = av_dict_get(stream.metadata, "DURATION", nullptr, 0);
    int64_t microseconds = 0;
    if (tag == nullptr || av_parse_time(&microseconds, tag->value, 1) < 0) return std::nullopt;
    Seconds duration(static_cast<double>(microseconds) / AV_TIME_BASE);
    if (counts_from_zero(demuxer)) duration -= Seconds(static_cast<double>(first) * tick(demuxer));
    return duration > Seconds(0) ? std::optional(duration) : std::nullopt;
  }
  // Where a header tells nothing of one stream, FFmpeg gives each the length of all.
  const bool told = demuxer.is_mp4() || demuxer.container() == "avi";
  if (!told || stream.duration == AV_NOPTS_VALUE || stream.duration <= 0) return std::nullopt;
  double duration = static_cast<double>(stream.duration) * tick(demuxer);
  if (stream.start_time != AV_NOPTS_VALUE && first > stream.start_time) {
    duration -=
        (static_cast<double>(first) - static_cast<double>(stream.start_time)) * tick(demuxer);
  }
  return duration > 0 ? std::optional(Seconds(duration)) : std::nullopt;
}

bool is_claim_binding(Demuxer& demuxer) {
  // Transport and program streams have no header: FFmpeg looked at the last timestamps.
  if ((demuxer.context().iformat->flags & AVFMT_TS_DISCONT) != 0) return false;
  if (demuxer.container() == "flv") return false;
  return !is_matroska(demuxer) || !at_any_place(demuxer, has_whole_segment);
}

std::string torn_end(Demuxer& demuxer) {
  const bool torn = at_any_place(demuxer, [&](AVIOContext& io) {
    if (demuxer.container() == "mpegts") return ends_inside_a_transport_packet(demuxer, io);
    return demuxer.container() == "gif" && lacks_gif_trailer(io);
  });
  return torn ? "it ends in the middle of a packet" : "";
}

}  // namespace moviechat
