#include "media/frame_reader.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/message.h"
#include "media/converter.h"
#include "media/decoder.h"
#include "media/demuxer.h"
#include "media/ffmpeg_versions.h"
#include "media/film_index.h"
#include "media/film_length.h"
#include "media/film_source.h"
#include "media/frame_clock.h"
#include "media/header_claims.h"
#include "media/video_info.h"

namespace moviechat {
namespace {

constexpr double kTimeSlack = 2e-6;  // s; containers round durations, doubles round times

std::string one_decimal(Seconds time) { return fmt::format("{:.1f}", time.count()); }

}  // namespace

/// Everything behind a FrameReader.
struct FrameReader::State {
  struct Frame {
    FramePtr picture;
    int64_t pts = 0;
  };
  /// Frames around the place where reading is. The timestamp of the one ahead tells when the
  /// current one ends.
  struct Cursor {
    std::optional<Frame> current;  // given last
    std::optional<Frame> ahead;
    FramePtr held;  // comes after `ahead`; decoded early where the timestamp of that leaps
    bool is_converted =
        false;  // `current` is in `rgb_of_current`: a plan may ask for a frame several times
  };
  /// Signs of damage, besides what is counted in `stats`.
  struct Damage {
    std::vector<FilmIndex::Gap> gaps;
    std::optional<Seconds> truncated_at;
    std::string failure;
    bool warned = false;
  };

  State(const std::filesystem::path& file, ReaderOptions reader_options)
      : options(std::move(reader_options)) {
    if (options.size < 0 || options.size > 16384) {
      throw InputError("the size of video frames must be 0 to 16384, got " + to_text(options.size));
    }
    if (!options.source) options.source = FilmSource::open(file.string(), options);
    demuxer = std::make_unique<Demuxer>(options.source, options.max_pixels);
    length = survey_film(*demuxer, options);
    decoder = std::make_unique<Decoder>(*demuxer, path(), options, stats);
    clock = std::make_unique<FrameClock>(1 / (rate() * time_base()), 1 / time_base());
    cursor.ahead = decode();
    if (!cursor.ahead) {
      throw input_error("'{}' has a video stream ({}), but none of {} packets could be decoded",
                        path(), avcodec_get_name(demuxer->stream().codecpar->codec_id),
                        stats.packets_read);
    }
    first_pts = cursor.ahead->pts;
    describe();
  }

  void describe() {
    const AVFrame& frame = *cursor.ahead->picture;
    info = describe_video(*demuxer, frame, first_pts);
    info.path = path();
    length = length_from(std::move(length), *demuxer, options, first_pts);
    info.duration = length.duration;
    info.promised = length.promised;
    info.frames = length.frames;
    info.fps = length.fps;
    info.index = length.index;
    info.duration_measured = length.measured;
    find_damage();
    refuse_damage();
    converter = std::make_unique<Converter>(width(), height(), options.filter);
    if (is_hdr(frame)) {
      warn(fmt::format(
          "'{}' is HDR video ({}); its colours are converted as plain video, without tone mapping",
          path(), info.color_transfer));
    }
    if (decoder->rate_is_guessed()) {
      warn(
          fmt::format("'{}' does not say its frame rate; {} frames a second are taken, so that its "
                      "times are a guess",
                      path(), to_text(rate())));
    }
    if (orientation_of(frame, demuxer->stream()).oblique) {
      warn(
          fmt::format("'{}' asks to be turned by {} degrees; only multiples of 90 are applied, it "
                      "is shown unturned",
                      path(), info.rotation));
    }
  }

  const std::string& path() const { return options.source->name(); }
  double time_base() const { return av_q2d(demuxer->stream().time_base); }  // s
  double rate() const { return length.fps.value(); }  // frames/s, as the file states it
  int64_t width() const { return options.size > 0 ? options.size : info.width; }
  int64_t height() const { return options.size > 0 ? options.size : info.height; }

  // ---- reading

  std::optional<Frame> decode() {
    FramePtr picture = cursor.held ? std::move(cursor.held) : decoder->next();
    if (stats.packets_lost + stats.frames_repaired > 0) refuse_damage();
    if (!picture) {
      at_end();
      return std::nullopt;
    }
    if (clock->leaps(picture->best_effort_timestamp)) {
      cursor.held = decoder->next();
      const bool lies = cursor.held && clock->goes_on_before(picture->best_effort_timestamp,
                                                             cursor.held->best_effort_timestamp);
      if (lies) picture->best_effort_timestamp = AV_NOPTS_VALUE;
    }
    const int64_t own = picture->best_effort_timestamp;
    const int64_t pts = clock->place(own, picture->pts == own);
    return Frame{std::move(picture), pts};
  }

  void advance() {
    cursor.current = std::move(cursor.ahead);
    cursor.ahead.reset();
    cursor.is_converted = false;
    cursor.ahead = decode();
  }

  int64_t step() const { return std::max<int64_t>(std::llround(1 / (rate() * time_base())), 1); }

  int64_t end_of_current() const {
    if (cursor.ahead) return cursor.ahead->pts;
    if (length.index && length.index->end() > cursor.current->pts) return length.index->end();
    const int64_t stated = frame_duration(*cursor.current->picture);
    return cursor.current->pts + (stated > 0 && stated <= kLargestTimestamp ? stated : step());
  }

  Seconds since_first(int64_t pts) const {
    return Seconds(static_cast<double>(pts - first_pts) * time_base());
  }

  Shown shown() const {
    const Seconds time = since_first(cursor.current->pts);
    const int64_t index = length.index ? length.index->frame_at(cursor.current->pts)
                                       : std::llround(time.count() * info.fps.value());
    return {index, cursor.current->pts, time, since_first(end_of_current())};
  }

  void go_to(Seconds time) {
    if (!std::isfinite(time.count())) {
      throw Error("a frame was asked for at a time that is no number");
    }
    const double ticks = std::floor((time.count() + kTimeSlack) / time_base());
    const double furthest = 4e18;
    const int64_t target =
        ticks >= furthest
            ? INT64_MAX
            : std::max(first_pts, first_pts + static_cast<int64_t>(std::max(ticks, 0.0)));
    if (cursor.current && target < cursor.current->pts) {
      if (!jump(target)) restart();
    } else if (worth_a_seek(target) && !jump(target)) {
      forward_seeks_work = false;  // reading on would have been quicker
      restart();
    }
    if (!cursor.current) advance();
    while (cursor.ahead && cursor.ahead->pts <= target) advance();
  }

  // ---- seeking

  bool can_seek() const {
    return options.allow_seek && !length.starts_over && clock->exact() && decoder->timed() &&
           !demuxer->live();
  }

  const std::vector<int64_t>& keys() {
    // Matroska's index is read at the first seek, and lists what its writer liked.
    if (!known_keys) {
      known_keys =
          demuxer->container() == "matroska,webm" ? length.keys : demuxer->key_timestamps();
    }
    return *known_keys;
  }

  // Key frames are listed by decoding or by presentation time, which differ by the reordering.
  int64_t latest_start(int64_t target) const {
    const int64_t reorder = demuxer->stream().codecpar->video_delay + 1;
    const int64_t margin = reorder * step();
    return target < INT64_MIN + margin ? INT64_MIN : target - margin;
  }

  bool worth_a_seek(int64_t target) {
    if (!forward_seeks_work || !can_seek() || !cursor.ahead || target <= cursor.ahead->pts)
      return false;
    const double skipped = static_cast<double>(target) - static_cast<double>(decoder->position());
    if (skipped * time_base() < 4 / rate()) return false;
    const auto& list = keys();
    const auto begin = std::upper_bound(list.begin(), list.end(), decoder->position());
    const auto end = std::upper_bound(list.begin(), list.end(), latest_start(target));
    return end - begin >= 2;  // between two key frames lies a whole group of pictures
  }

  // False when no key frame but the first leads to `target`; the position is lost then.
  bool jump(int64_t target) {
    if (!can_seek()) return false;
    const auto& list = keys();
    auto candidate = std::upper_bound(list.begin(), list.end(), latest_start(target));
    for (int64_t back = 1; candidate != list.begin(); back *= 2) {
      candidate -= std::min<int64_t>(back, candidate - list.begin());
      if (candidate == list.begin()) break;  // the start itself
      if (land(*candidate, target)) return true;
    }
    return false;
  }

  // True when the frame at `target` follows in the order of reading; the frame ahead is whole.
  bool land(int64_t key, int64_t target) {
    ++stats.seeks;
    if (!demuxer->seek(key)) return false;
    decoder->restart(*demuxer, /*after_seek=*/true);
    clock->restart();
    cursor = {};
    do {
      cursor.ahead = decode();
      if (!cursor.ahead || decoder->whole_from() == AV_NOPTS_VALUE || !clock->exact()) return false;
    } while (cursor.ahead->pts < decoder->whole_from() ||
             Decoder::lacks_references(*cursor.ahead->picture));
    return cursor.ahead->pts <= target;
  }

  void restart() {
    if (demuxer->live()) throw input_error("'{}' is a live stream, which cannot go back", path());
    ++stats.seeks;
    demuxer->rewind();
    decoder->restart(*demuxer, /*after_seek=*/false);
    clock->restart();
    cursor = {};
    cursor.ahead = decode();
    if (!cursor.ahead) throw Error(fmt::format("'{}' changed while it was read", path()));
  }

  // ---- damage

  void warn(const std::string& line) const {
    if (options.warn) options.warn(line);
  }

  void refuse_damage() const {
    if (!options.strict) return;
    const std::string line = damage();
    if (!line.empty()) throw InputError(line + "; without strict, what can be decoded is used");
  }

  /// Frames that are not there: where a packet beside a gap is damaged, or anything could not be
  /// decoded, a gap in a constant rate is no pause. MP4's tables say of each gap that it is one.
  int64_t missing_frames() const {
    const bool damaged = length.passed && stats.packets_lost + stats.frames_repaired > 0;
    int64_t missing = 0;
    for (const FilmIndex::Gap& gap : found.gaps) missing += gap.damaged || damaged ? gap.frames : 0;
    return missing;
  }

  std::string damage() const {
    std::string text;
    const auto add = [&](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
    if (stats.packets_lost > 0) {
      add(fmt::format("{} of {} packets could not be decoded", stats.packets_lost,
                      stats.packets_read));
    }
    if (stats.frames_repaired > 0) {
      add(fmt::format("{} of {} frames were decoded with errors", stats.frames_repaired,
                      stats.frames_decoded));
    }
    if (const int64_t missing = missing_frames(); missing > 0) {
      add(fmt::format("{}{} missing", missing, missing == 1 ? " frame is" : " frames are"));
    }
    if (found.truncated_at) {
      add(fmt::format("it ends at {} s of {} s", one_decimal(*found.truncated_at),
                      one_decimal(length.promised.value_or(info.duration))));
    } else if (!length.torn.empty()) {
      add(length.torn);
    } else if (!found.failure.empty() && found.failure != options.source->loss()) {
      add(fmt::format("reading ended early ({})", found.failure));
    }
    if (const std::string loss = options.source->loss(); !loss.empty()) add(loss);
    return text.empty() ? "" : fmt::format("'{}' is damaged: {}", path(), text);
  }

  void find_damage() {
    if (length.index) found.gaps = length.index->gaps();
    if (!length.promised) return;
    const auto missing = demuxer->missing_from();
    found.truncated_at = length.passed || !missing ? info.duration : since_first(*missing);
  }

  void at_end() {
    if (!cursor.current) return;
    found.failure = demuxer->failure();
    const Seconds end = since_first(end_of_current());
    const Seconds tolerance(0.2 + 2 / rate());
    const bool told = length.index || demuxer->only_stream() ||
                      claimed_video_duration(*demuxer, first_pts).has_value();
    if (!found.truncated_at && !length.passed && told && end + tolerance < info.duration) {
      found.truncated_at = end;
    }
    refuse_damage();
    finish();
  }

  void finish() {
    if (found.warned) return;
    const std::string line = damage();
    if (line.empty()) return;
    found.warned = true;
    warn(line + "; the rest is used");
  }

  // ---- pixels

  void give(std::span<uint8_t> rgb) {
    if (rgb.empty()) return;
    const auto bytes = static_cast<size_t>(width() * height() * 3);
    if (rgb.size() != bytes) {
      throw Error(fmt::format("a frame needs {} bytes, got room for {}", bytes, rgb.size()));
    }
    if (!cursor.is_converted) {
      const AVFrame& picture = *cursor.current->picture;
      converter->convert(picture, orientation_of(picture, demuxer->stream()));
      ++stats.frames_converted;
      cursor.is_converted = true;
    }
    converter->pack(rgb);  // a plan may ask for a frame several times
  }

  ReaderOptions options;
  VideoInfo info;
  FilmLength length;
  ReadStats stats;
  int64_t first_pts = 0;
  std::unique_ptr<Demuxer> demuxer;
  std::unique_ptr<Decoder> decoder;
  std::unique_ptr<FrameClock> clock;
  std::unique_ptr<Converter> converter;
  Cursor cursor;
  std::optional<std::vector<int64_t>> known_keys;  // timestamps of key frames
  bool forward_seeks_work = true;
  Damage found;
};

FrameReader::FrameReader(const std::filesystem::path& path, ReaderOptions options)
    : state_(std::make_unique<State>(path, std::move(options))) {}
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;
FrameReader::~FrameReader() = default;

const VideoInfo& FrameReader::info() const { return state_->info; }
const ReaderOptions& FrameReader::options() const { return state_->options; }
int64_t FrameReader::width() const { return state_->width(); }
int64_t FrameReader::height() const { return state_->height(); }
const ReadStats& FrameReader::stats() const { return state_->stats; }
std::string FrameReader::damage() const { return state_->damage(); }
void FrameReader::finish() { state_->finish(); }
int64_t FrameReader::frames_missing() const { return state_->missing_frames(); }

Shown FrameReader::shown_at(Seconds time, std::span<uint8_t> rgb) {
  state_->go_to(time);
  state_->give(rgb);
  return state_->shown();
}

std::optional<Shown> FrameReader::next(std::span<uint8_t> rgb) {
  if (!state_->cursor.ahead) return std::nullopt;
  state_->advance();
  state_->give(rgb);
  return state_->shown();
}

}  // namespace moviechat
