#include "media/demuxer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "base/message.h"
#include "media/film_index.h"
#include "media/mp4_tables.h"

namespace moviechat {
namespace {

constexpr int kMaxReadErrors = 64;  // in a row; a demuxer often finds its way again

// Formats that name other files or devices, and those that draw text.
constexpr std::array<std::string_view, 11> kPlaylists = {
    "hls", "dash",  "concat",     "image2", "sdp", "rtp", "sap", "webm_dash_manifest",
    "imf", "lavfi", "vapoursynth"};
constexpr std::array<std::string_view, 6> kTexts = {"tty", "bin", "xbin",
                                                    "adf", "idf", "ffmetadata"};

// Formats whose reading goes back. MP4 is asked: some of its files can be read in order.
constexpr std::array<std::string_view, 2> kNeedSeeking = {"gif", "wtv"};

template <size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, const AVInputFormat* format) {
  return format != nullptr && std::find(names.begin(), names.end(), format->name) != names.end();
}

/// The first bytes of a film, fewer where it is shorter.
std::string beginning_of(FilmSource& source, size_t size) {
  std::string bytes(size, '\0');
  size_t have = 0;
  while (have < size) {
    const std::span room(reinterpret_cast<uint8_t*>(bytes.data()) + have, size - have);
    const size_t got = source.read(static_cast<int64_t>(have), room);
    if (got == 0) break;
    have += got;
  }
  bytes.resize(have);
  return bytes;
}

/// RFC 8216, 4.3.1.1. FFmpeg 7 knows such a playlist by its file name only.
bool is_hls(FilmSource& source) {
  const std::string text = beginning_of(source, 1024);
  return text.starts_with("#EXTM3U") && text.find("#EXT-X-") != std::string::npos;
}

/// The tables of an MP4 file come behind its frames, as far as the file's first bytes say.
bool index_is_last(FilmSource& source) {
  const std::string bytes = beginning_of(source, 60 << 10);
  for (size_t at = 0; at + 16 <= bytes.size();) {
    const std::string_view type = std::string_view(bytes).substr(at + 4, 4);
    if (type == "moov" || type == "moof") return false;
    if (type == "mdat") return true;
    uint64_t size = AV_RB32(bytes.data() + at);
    if (size == 1) size = AV_RB64(bytes.data() + at + 8);
    if (size < 8) return false;  // up to the end, or damaged
    at += std::min<uint64_t>(size, bytes.size());
  }
  return true;
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
    text += fmt::format("{}{} {}{}{}", text.empty() ? "" : "; ", found.first, kind,
                        found.first == 1 ? "" : "s", found.second);
  }
  return text.empty() ? "no stream at all" : text;
}

/// A stream that belongs to another one, or is one picture beside a film.
bool is_beside(const AVStream& stream, const std::vector<int64_t>& auxiliary) {
  constexpr int kBeside = AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS |
                          AV_DISPOSITION_DEPENDENT | AV_DISPOSITION_METADATA;
  return (stream.disposition & kBeside) != 0 ||
         std::find(auxiliary.begin(), auxiliary.end(), stream.id) != auxiliary.end();
}

}  // namespace

Demuxer::Demuxer(std::shared_ptr<FilmSource> source, int64_t max_pixels)
    : source_(std::move(source)), max_pixels_(max_pixels) {
  silence_ffmpeg();
  find_format();
  live_ = !source_->can_seek();
  if (!live_ && is_mp4()) look_at_tables();
  open_format();
}

/// Of what FFmpeg returned while the film was opened.
void Demuxer::check(int code) const {
  if (source_->cancel() != nullptr) source_->cancel()->check();
  if (io_) io_->rethrow();
  if (code == AVERROR(ENOMEM)) throw_out_of_memory("opening", path());
  if (code >= 0) return;
  const std::string loss = source_->loss();
  throw input_error("'{}' is not a video that can be read ({}); expected a whole video file",
                    path(), loss.empty() ? av_reason(code) : loss);
}

void Demuxer::find_format() {
  const auto refuse_playlist = [&](const std::string& kind) {
    throw input_error("'{}' is a playlist ({}), which names other files; give the video itself",
                      path(), kind);
  };
  if (source_->address_for_ffmpeg() != nullptr) {
    format_ = av_find_input_format("rtsp");
    return;
  }
  if (is_hls(*source_)) refuse_playlist("hls");
  io_ = std::make_unique<FilmIo>(source_);
  // The empty name leaves only the content to judge by.
  check(av_probe_input_buffer2(io_->context(), &format_, "", nullptr, 0, 0));
  if (is_one_of(kPlaylists, format_)) refuse_playlist(format_->name);
  if (is_one_of(kTexts, format_)) {
    throw input_error("'{}' is text ({}); expected a video file", path(), format_->name);
  }
  if (!source_->can_seek()) {
    source_->prepare(is_one_of(kNeedSeeking, format_) || (is_mp4() && index_is_last(*source_)));
  }
  io_->update();
}

void Demuxer::look_at_tables() {
  AVIOContext& io = *io_->context();
  if (has_absurd_tables(io)) {
    throw input_error(
        "'{}' claims more samples than it has room for: its tables are damaged; "
        "expected a whole video file",
        path());
  }
  mp4_.edits_proven = edits_change_nothing(io);
  mp4_.auxiliary = auxiliary_tracks(io);
}

void Demuxer::open_format() {
  const std::string* const rtsp = source_->address_for_ffmpeg();
  Dictionary options;
  const std::chrono::microseconds patience =
      std::chrono::duration_cast<std::chrono::microseconds>(source_->patience());
  if (rtsp != nullptr) options.set("timeout", std::to_string(patience.count()));
  options.set("protocol_whitelist", rtsp != nullptr ? "tcp,tls,udp,rtp,rtsp" : "");
  if (mp4_.edits_proven) options.set("advanced_editlist", "0");
  AVFormatContext* context = av_allocated(avformat_alloc_context());
  context->interrupt_callback = {[](void* source) {
                                   const CancelFlag* cancel =
                                       static_cast<FilmSource*>(source)->cancel();
                                   return cancel != nullptr && cancel->cancelled() ? 1 : 0;
                                 },
                                 source_.get()};
  if (io_) {
    // What comes only once is at its beginning still.
    if (!live_) avio_seek(io_->context(), 0, SEEK_SET);
    context->pb = io_->context();
    context->io_open = refuse_other_files;
  }
  // On failure FFmpeg frees the context itself.
  const int opened = avformat_open_input(&context, rtsp != nullptr ? rtsp->c_str() : "", format_,
                                         options.address());
  context_.reset(context);
  check(opened);

  std::vector<AVDictionary*> decoders(context_->nb_streams, nullptr);
  for (AVDictionary*& decoder : decoders) {
    av_dict_set_int(&decoder, "max_pixels", max_pixels_, 0);
    av_dict_set(&decoder, "threads", "1", 0);
  }
  const int code = avformat_find_stream_info(context_.get(), decoders.data());
  for (AVDictionary*& decoder : decoders) av_dict_free(&decoder);
  check(code);
  choose_stream();
}

void Demuxer::choose_stream() {
  int best = av_find_best_stream(context_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (best >= 0 && is_beside(*context_->streams[best], mp4_.auxiliary)) {
    best = -1;
    for (unsigned i = 0; i < context_->nb_streams; ++i) {
      const AVStream& stream = *context_->streams[i];
      if (stream.codecpar->codec_type != AVMEDIA_TYPE_VIDEO || is_beside(stream, mp4_.auxiliary))
        continue;
      const bool preferred = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0;
      if (best >= 0 && !preferred) continue;
      best = static_cast<int>(i);
      if (preferred) break;
    }
  }
  if (best < 0) {
    throw input_error("'{}' has no video stream (found: {})", path(), streams_found(*context_));
  }
  stream_ = context_->streams[best];
  const int64_t pixels = int64_t{stream_->codecpar->width} * stream_->codecpar->height;
  if (pixels > max_pixels_) {
    throw input_error(
        "'{}' has pictures of {}x{} pixels, more than video.max_pixels = {}; raise it to read them",
        path(), stream_->codecpar->width, stream_->codecpar->height, max_pixels_);
  }
  clock_.reset();
  if ((context_->iformat->flags & AVFMT_TS_DISCONT) != 0) clock_.emplace(ticks());
  read_others(false);
}

bool Demuxer::is_mp4() const {
  return format_ != nullptr && std::string_view(format_->name).starts_with("mov,mp4");
}

void Demuxer::rewind() {
  failure_.clear();
  ahead_.clear();
  context_.reset();  // an index can be large: never hold two
  open_format();
}

void Demuxer::read_others(bool wanted) {
  for (unsigned i = 0; i < context_->nb_streams; ++i) {
    AVStream& other = *context_->streams[i];
    if (&other != stream_) other.discard = wanted ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
}

bool Demuxer::read(AVPacket& packet) {
  if (!ahead_.empty()) {
    av_packet_unref(&packet);
    av_packet_move_ref(&packet, ahead_.front().get());
    ahead_.pop_front();
  } else if (!read_video(packet)) {
    return false;
  }
  const bool marked = (packet.flags & AV_PKT_FLAG_CORRUPT) != 0;
  if (marked && container() == "mpegts" && begins_anew_soon()) {
    packet.flags &= ~AV_PKT_FLAG_CORRUPT;
  }
  if (clock_) clock_->mend(packet);
  return true;
}

/// Where a transport stream begins anew with a key frame, as where recordings were put one behind
/// the other, its counters do, too: one of the last packets before is marked as corrupt, though
/// nothing of it is missing.
bool Demuxer::begins_anew_soon() {
  constexpr size_t kSoon = 2;  // packets; the parser that finds the frames is one behind
  while (ahead_.size() < kSoon) {
    PacketPtr next(av_allocated(av_packet_alloc()));
    if (!read_video(*next)) break;
    ahead_.push_back(std::move(next));
  }
  return std::any_of(ahead_.begin(), ahead_.end(), [](const PacketPtr& packet) {
    return (packet->flags & AV_PKT_FLAG_KEY) != 0;
  });
}

bool Demuxer::read_video(AVPacket& packet) {
  while (read_any(packet)) {
    if (packet.stream_index != stream_->index) {
      note_end(packet);
      continue;
    }
    for (int64_t* time : {&packet.pts, &packet.dts}) {
      if (*time > kLargestTimestamp || *time < -kLargestTimestamp) *time = AV_NOPTS_VALUE;
    }
    packet.duration = std::clamp<int64_t>(packet.duration, 0, kLargestTimestamp);
    return true;
  }
  return false;
}

bool Demuxer::read_any(AVPacket& packet) {
  const ComplaintCount counting(complaints_);
  int errors = 0;
  while (true) {
    if (source_->cancel() != nullptr) source_->cancel()->check();
    av_packet_unref(&packet);
    const int code = av_read_frame(context_.get(), &packet);
    if (io_) io_->rethrow();
    if (code == AVERROR_EOF) return false;
    if (code == AVERROR(ENOMEM)) throw_out_of_memory("reading", path());
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

void Demuxer::note_end(const AVPacket& packet) {
  const int64_t ticks = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
  if (ticks == AV_NOPTS_VALUE) return;
  const double tick = av_q2d(context_->streams[packet.stream_index]->time_base);
  const Seconds end((static_cast<double>(ticks) + static_cast<double>(packet.duration)) * tick);
  end_of_others_ = std::max(end_of_others_.value_or(end), end);
}

bool Demuxer::seek(int64_t timestamp) {
  failure_.clear();
  ahead_.clear();
  if (clock_) clock_->restart();
  return av_seek_frame(context_.get(), stream_->index, timestamp, AVSEEK_FLAG_BACKWARD) >= 0;
}

std::shared_ptr<FilmIndex> Demuxer::proven_index() {
  if (!mp4_.edits_proven || stream_->start_time == AV_NOPTS_VALUE) return nullptr;
  const int64_t at = avio_tell(io_->context());
  auto index = index_of_track(*io_->context(), stream_->id, ticks(), stream_->start_time,
                              avformat_index_get_entries_count(stream_));
  avio_seek(io_->context(), at, SEEK_SET);
  return index;
}

std::optional<int64_t> Demuxer::missing_from() const {
  const int64_t bytes = avio_size(context_->pb);
  const int count = avformat_index_get_entries_count(stream_);
  for (int i = 0; i < count; ++i) {
    const AVIndexEntry& entry = *avformat_index_get_entry(stream_, i);
    if (entry.pos + entry.size > bytes) return entry.timestamp;
  }
  return std::nullopt;
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

}  // namespace moviechat
