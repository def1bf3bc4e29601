#include "video/demuxer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>
#include <string_view>

#include "video/mp4_tables.h"

namespace moviechat {
namespace {

constexpr const char* kPatience = "30000000";  // microseconds, for an address that is silent
constexpr int kMaxReadErrors = 64;             // in a row; a demuxer often finds its way again

// Formats that name other files or devices, and those that draw text.
constexpr std::array<std::string_view, 11> kPlaylists = {
    "hls", "dash",  "concat",     "image2", "sdp", "rtp", "sap", "webm_dash_manifest",
    "imf", "lavfi", "vapoursynth"};
constexpr std::array<std::string_view, 6> kTexts = {"tty", "bin", "xbin",
                                                    "adf", "idf", "ffmetadata"};

template <size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, const AVInputFormat* format) {
  return format != nullptr && std::find(names.begin(), names.end(), format->name) != names.end();
}

/// RFC 8216, 4.3.1.1. FFmpeg 7 knows such a playlist by its file name only. Does not move in `io`.
bool is_hls(AVIOContext& io) {
  std::array<char, 1024> bytes{};
  const int count = avio_read(&io, reinterpret_cast<unsigned char*>(bytes.data()), bytes.size());
  avio_seek(&io, 0, SEEK_SET);
  const std::string_view text(bytes.data(), static_cast<size_t>(std::max(count, 0)));
  return text.starts_with("#EXTM3U") && text.find("#EXT-X-") != std::string_view::npos;
}

bool is_mp4(const AVInputFormat* format) {
  return format != nullptr && std::string_view(format->name).starts_with("mov,mp4");
}

bool has_scheme(const std::string& path, std::string_view scheme) {
  return path.size() > scheme.size() + 3 && path.compare(0, scheme.size(), scheme) == 0 &&
         path.compare(scheme.size(), 3, "://") == 0;
}
bool is_rtsp(const std::string& path) { return has_scheme(path, "rtsp"); }
bool is_url(const std::string& path) {
  return has_scheme(path, "http") || has_scheme(path, "https") || is_rtsp(path);
}

void check_local_file(const std::string& path) {
  const auto fail = [&](const std::string& why) {
    throw InputError("video '" + path + "' " + why);
  };
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    const int code = errno;
    if (is_url(path)) fail("is an address; --allow-url opens http, https and rtsp");
    if (code == ENOENT || code == ENOTDIR) fail("does not exist; check the path");
    fail(std::string("cannot be looked up: ") + std::strerror(code));
  }
  if (S_ISDIR(status.st_mode)) fail("is a folder; expected a video file");
  if (!S_ISREG(status.st_mode)) fail("is not a regular file; expected a video file");
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(std::string("cannot be opened: ") + std::strerror(errno));
  ::close(file);
  if (status.st_size == 0) fail("is empty (0 bytes); expected a video file");
}

int refuse_other_files(AVFormatContext* /*context*/, AVIOContext** /*io*/, const char* /*url*/,
                       int /*flags*/, AVDictionary** /*options*/) {
  return AVERROR(EPERM);
}

/// "1 audio stream, aac" of every kind there is.
std::string streams_found(const AVFormatContext& context) {
  std::map<std::string, std::pair<int, std::string>> kinds;
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    const AVCodecParameters& codec = *context.streams[i]->codecpar;
    const bool cover = (context.streams[i]->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    const std::string kind =
        cover ? "cover picture" : name_or_empty(av_get_media_type_string(codec.codec_type));
    auto& [count, codecs] = kinds[(kind.empty() ? "unknown" : kind) + (cover ? "" : " stream")];
    ++count;
    codecs += std::string(", ") + avcodec_get_name(codec.codec_id);
  }
  std::string text;
  for (const auto& [kind, found] : kinds) {
    text += (text.empty() ? "" : "; ") + std::to_string(found.first) + " " + kind +
            (found.first == 1 ? "" : "s") + found.second;
  }
  return text.empty() ? "no stream at all" : text;
}

bool is_picture_beside(const AVStream& stream) {
  return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) !=
         0;
}

}  // namespace

Demuxer::Demuxer(const std::string& path, bool allow_url, const CancelFlag* cancel)
    : path_(path), guard_(std::make_unique<Guard>(Guard{cancel})) {
  silence_ffmpeg();
  if (allow_url && is_url(path)) {
    open(path);
  } else {
    check_local_file(path);
    open("file:" + path);  // so that no name is taken for a protocol
  }
  choose_stream();
}

void Demuxer::open(const std::string& url) {
  const bool local = url.compare(0, 5, "file:") == 0;
  const bool rtsp = is_rtsp(url);
  const AVIOInterruptCB interrupt = {[](void* guard) {
                                       const CancelFlag* cancel =
                                           static_cast<Guard*>(guard)->cancel;
                                       return cancel != nullptr && cancel->cancelled() ? 1 : 0;
                                     },
                                     guard_.get()};
  const auto check = [&](int code) {
    if (guard_->cancel != nullptr) guard_->cancel->check();
    if (code == AVERROR(ENOMEM)) throw Error("out of memory while opening '" + path_ + "'");
    if (code >= 0) return;
    throw InputError("'" + path_ + "' is not a video that can be read (" + av_reason(code) +
                     "); expected a whole video file");
  };
  const auto refuse_playlist = [&](const std::string& kind) {
    throw InputError("'" + path_ + "' is a playlist (" + kind +
                     "), which names other files; give the video itself");
  };
  Dictionary protocols;
  protocols.set("protocol_whitelist", local ? "file" : "http,https,tcp,tls,udp,rtp,rtsp");
  if (!local) protocols.set("rw_timeout", kPatience);

  const AVInputFormat* format = nullptr;
  if (rtsp) {
    live_ = true;
    format = av_find_input_format("rtsp");
  } else {
    AVIOContext* io = nullptr;
    const int code = avio_open2(&io, url.c_str(), AVIO_FLAG_READ, &interrupt, protocols.address());
    io_.reset(io);
    check(code);
    live_ = !local && avio_size(io) <= 0;
    if (is_hls(*io)) refuse_playlist("hls");
    // The empty name leaves only the content to judge by.
    check(av_probe_input_buffer2(io, &format, "", nullptr, 0, 0));
  }
  if (is_one_of(kPlaylists, format)) refuse_playlist(format->name);
  if (is_one_of(kTexts, format)) {
    throw InputError("'" + path_ + "' is text (" + format->name + "); expected a video file");
  }

  Dictionary options;
  if (rtsp) options.set("timeout", kPatience);  // RTSP has its own
  options.set("protocol_whitelist", local ? "file" : "http,https,tcp,tls,udp,rtp,rtsp");
  if (local && is_mp4(format)) {
    edits_proven_ = edits_change_nothing(*io_);
    if (edits_proven_) options.set("advanced_editlist", "0");
    avio_seek(io_.get(), 0, SEEK_SET);
  }

  AVFormatContext* context = av_allocated(avformat_alloc_context());
  context->interrupt_callback = interrupt;
  if (!rtsp) {
    context->pb = io_.get();
    context->io_open = refuse_other_files;
  }
  // On failure FFmpeg frees the context itself.
  const int opened =
      avformat_open_input(&context, rtsp ? url.c_str() : "", format, options.address());
  context_.reset(context);
  check(opened);

  std::vector<AVDictionary*> decoders(context_->nb_streams, nullptr);
  for (AVDictionary*& decoder : decoders) {
    av_dict_set_int(&decoder, "max_pixels", kMaxPixels, 0);
    av_dict_set(&decoder, "threads", "1", 0);
  }
  const int code = avformat_find_stream_info(context_.get(), decoders.data());
  for (AVDictionary*& decoder : decoders) av_dict_free(&decoder);
  check(code);
}

void Demuxer::choose_stream() {
  int best = av_find_best_stream(context_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (best >= 0 && is_picture_beside(*context_->streams[best])) {
    best = -1;
    for (unsigned i = 0; i < context_->nb_streams; ++i) {
      const AVStream& stream = *context_->streams[i];
      if (stream.codecpar->codec_type != AVMEDIA_TYPE_VIDEO || is_picture_beside(stream)) continue;
      const bool preferred = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0;
      if (best >= 0 && !preferred) continue;
      best = static_cast<int>(i);
      if (preferred) break;
    }
  }
  if (best < 0) {
    throw InputError("'" + path_ + "' has no video stream (found: " + streams_found(*context_) +
                     ")");
  }
  stream_ = context_->streams[best];
  for (unsigned i = 0; i < context_->nb_streams; ++i) {
    if (static_cast<int>(i) != best) context_->streams[i]->discard = AVDISCARD_ALL;
  }
}

bool Demuxer::read(AVPacket& packet) {
  while (read_any(packet)) {
    if (packet.stream_index != stream_->index) continue;
    for (int64_t* time : {&packet.pts, &packet.dts}) {
      if (*time > kLargestTimestamp || *time < -kLargestTimestamp) *time = AV_NOPTS_VALUE;
    }
    packet.duration = std::clamp<int64_t>(packet.duration, 0, kLargestTimestamp);
    return true;
  }
  return false;
}

bool Demuxer::read_any(AVPacket& packet) {
  int errors = 0;
  while (true) {
    if (guard_->cancel != nullptr) guard_->cancel->check();
    av_packet_unref(&packet);
    const int code = av_read_frame(context_.get(), &packet);
    if (code == AVERROR_EOF) return false;
    if (code == AVERROR(ENOMEM)) throw Error("out of memory while reading '" + path_ + "'");
    if (code == AVERROR(EAGAIN)) continue;
    if (code < 0) {
      failure_ = av_reason(code);
      const bool over = code == AVERROR(ETIMEDOUT) || avio_feof(context_->pb) != 0;
      if (over || ++errors >= kMaxReadErrors) return false;
      continue;
    }
    return true;
  }
}

bool Demuxer::seek(int64_t timestamp) {
  failure_.clear();
  return av_seek_frame(context_.get(), stream_->index, timestamp, AVSEEK_FLAG_BACKWARD) >= 0;
}

std::optional<Seconds> Demuxer::end_of_all_streams(int64_t timestamp) {
  for (unsigned i = 0; i < context_->nb_streams; ++i) {
    context_->streams[i]->discard = AVDISCARD_DEFAULT;
  }
  seek(timestamp);  // without an index from where it is
  std::optional<Seconds> end;
  const PacketPtr packet(av_allocated(av_packet_alloc()));
  while (read_any(*packet)) {
    if (packet->pts == AV_NOPTS_VALUE) continue;
    const AVRational ticks = context_->streams[packet->stream_index]->time_base;
    const Seconds one((static_cast<double>(packet->pts) + static_cast<double>(packet->duration)) *
                      av_q2d(ticks));
    end = std::max(end.value_or(one), one);
  }
  return end;
}

std::vector<int64_t> Demuxer::probe(int64_t count) {
  std::vector<int64_t> found;
  const int64_t bytes = avio_size(context_->pb);
  const PacketPtr packet(av_allocated(av_packet_alloc()));
  for (int64_t i = 0; i < count; ++i) {
    const int64_t place = bytes / count * i;
    if (av_seek_frame(context_.get(), -1, place, AVSEEK_FLAG_BYTE) < 0) break;
    while (read(*packet)) {
      if (packet->pts == AV_NOPTS_VALUE) continue;
      found.push_back(packet->pts);
      break;
    }
  }
  return found;
}

/// Matroska's durations count from time 0, whenever the first frame comes. mkvmerge, which leaves
/// tags of its own, gives them from the first frame to the last instead, as other formats do.
bool Demuxer::counts_from_zero() const {
  const char* mark = "_STATISTICS_WRITING_APP";
  return container() == "matroska,webm" &&
         av_dict_get(stream_->metadata, mark, nullptr, 0) == nullptr;
}

std::optional<Seconds> Demuxer::stated_duration(int64_t first) const {
  const AVFormatContext& context = *context_;
  if (context.duration == AV_NOPTS_VALUE || context.duration <= 0 ||
      context.duration_estimation_method == AVFMT_DURATION_FROM_BITRATE) {
    return std::nullopt;
  }
  const double begin = counts_from_zero() || context.start_time == AV_NOPTS_VALUE
                           ? 0
                           : static_cast<double>(context.start_time) / AV_TIME_BASE;
  double duration = static_cast<double>(context.duration) / AV_TIME_BASE;
  const double late = static_cast<double>(first) * ticks() - begin;
  if (late > 0 && late < duration) duration -= late;
  // A soundtrack that goes on after the pictures is not part of what is seen.
  const std::optional<Seconds> own = stated_video_duration(first);
  if (own && !only_stream() && own->count() < duration - 1) duration = own->count();
  if (!(duration > 0) || duration > kLongestFilm) return std::nullopt;
  return Seconds(duration);
}

std::optional<Seconds> Demuxer::stated_video_duration(int64_t first) const {
  if (const AVDictionaryEntry* tag = av_dict_get(stream_->metadata, "DURATION", nullptr, 0);
      tag != nullptr && container() == "matroska,webm") {
    int64_t microseconds = 0;
    if (av_parse_time(&microseconds, tag->value, 1) < 0) return std::nullopt;
    Seconds duration(static_cast<double>(microseconds) / AV_TIME_BASE);
    if (counts_from_zero()) duration -= Seconds(static_cast<double>(first) * ticks());
    return duration > Seconds(0) ? std::optional(duration) : std::nullopt;
  }
  if (stream_->duration == AV_NOPTS_VALUE || stream_->duration <= 0) return std::nullopt;
  double duration = static_cast<double>(stream_->duration) * ticks();
  if (stream_->start_time != AV_NOPTS_VALUE && first > stream_->start_time) {
    duration -= (static_cast<double>(first) - static_cast<double>(stream_->start_time)) * ticks();
  }
  return duration > 0 ? std::optional(Seconds(duration)) : std::nullopt;
}

bool Demuxer::end_is_guessed() const {
  return container() == "mpeg" && context_->duration_estimation_method == AVFMT_DURATION_FROM_PTS;
}

std::shared_ptr<const FilmIndex> Demuxer::proven_index(int64_t first) {
  if (!edits_proven_ || stream_->start_time == AV_NOPTS_VALUE) return nullptr;
  return index_of_track(*io_, stream_->id, ticks(), stream_->start_time, first);
}

std::vector<int64_t> Demuxer::key_timestamps() {
  std::vector<int64_t> keys;
  const int count = avformat_index_get_entries_count(stream_);
  for (int i = 0; i < count; ++i) {
    const AVIndexEntry& entry = *avformat_index_get_entry(stream_, i);
    if ((entry.flags & AVINDEX_KEYFRAME) == 0 || (entry.flags & AVINDEX_DISCARD_FRAME) != 0) {
      continue;
    }
    const int64_t time = entry.timestamp;
    if (time >= -kLargestTimestamp && time <= kLargestTimestamp) keys.push_back(time);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

std::optional<int64_t> Demuxer::index_end() const {
  const int count = avformat_index_get_entries_count(stream_);
  if (count < 2 || container() == "matroska,webm") return std::nullopt;  // has key frames only
  const int64_t last = avformat_index_get_entry(stream_, count - 1)->timestamp;
  const int64_t before = avformat_index_get_entry(stream_, count - 2)->timestamp;
  if (before < -kLargestTimestamp || last < before || last > kLargestTimestamp) return std::nullopt;
  return last + (last - before);
}

Measured measure(Demuxer& demuxer) {
  Measured measured;
  const PacketPtr packet(av_allocated(av_packet_alloc()));
  measured.end = INT64_MIN;
  int64_t offset = 0;  // of timestamps that started over
  const auto second = static_cast<int64_t>(1 / av_q2d(demuxer.stream().time_base));
  while (demuxer.read(*packet)) {
    ++measured.packets;
    if (packet->pts == AV_NOPTS_VALUE) continue;
    if (measured.timed && packet->pts + offset < measured.end - second) {
      offset = measured.end - packet->pts;
    }
    measured.timed = true;
    measured.end = std::max(measured.end, packet->pts + offset + packet->duration);
  }
  return measured;
}

}  // namespace moviechat
