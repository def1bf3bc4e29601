#include "media/frame_reader.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "media/converter.h"
#include "media/decoder.h"
#include "media/demuxer.h"
#include "media/ffmpeg_versions.h"
#include "media/film_length.h"
#include "media/film_source.h"
#include "media/frame_clock.h"
#include "media/header_claims.h"
#include "media/video_info.h"

namespace moviechat {
namespace {

constexpr double kTimeSlack = 2e-6;  // s; containers round durations, doubles round times

std::string one_decimal(Seconds time) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.1f", time.count());
  return text.data();
}

}  // namespace

/// Everything behind a FrameReader. `current` is the frame given last, `ahead` the one after it,
/// whose timestamp tells when `current` ends.
struct FrameReader::State {
  struct Frame {
    FramePtr picture;
    int64_t pts = 0;
  };

  State(const std::filesystem::path& file, ReaderOptions reader_options)
      : options(std::move(reader_options)) {
    if (options.size < 0 || options.size > 16384) {
      throw InputError("the size of video frames must be 0 to 16384, got " + to_text(options.size));
    }
    if (!options.source) options.source = FilmSource::open(file.string(), options);
    path = options.source->name();
    demuxer = std::make_unique<Demuxer>(options.source, options.max_pixels);
    length = survey_film(*demuxer, options);
    decoder = std::make_unique<Decoder>(*demuxer, path, options, stats);
    time_base = av_q2d(demuxer->stream().time_base);
    rate = length.fps.value();
    clock = std::make_unique<FrameClock>(1 / (rate * time_base), 1 / time_base);
    ahead = decode();
    if (!ahead) {
      throw InputError("'" + path + "' has a video stream (" +
                       avcodec_get_name(demuxer->stream().codecpar->codec_id) + "), but none of " +
                       to_text(stats.packets_read) + " packets could be decoded");
    }
    first_pts = ahead->pts;
    describe();
  }

  void describe() {
    const AVFrame& frame = *ahead->picture;
    info = describe_video(*demuxer, frame, first_pts);
    info.path = path;
    length = length_from(std::move(length), *demuxer, options, first_pts);
    info.duration = length.duration;
    info.promised = length.promised;
    info.frames = length.frames;
    info.fps = length.fps;
    info.index = length.index;
    info.duration_measured = length.measured;
    output_width = options.size > 0 ? options.size : info.width;
    output_height = options.size > 0 ? options.size : info.height;
    find_damage();
    refuse_damage();
    converter = std::make_unique<Converter>(output_width, output_height, options.filter);
    if (is_hdr(frame)) {
      warn("'" + path + "' is HDR video (" + info.color_transfer +
           "); its colours are converted as plain video, without tone mapping");
    }
    if (decoder->rate_is_guessed()) {
      warn("'" + path + "' does not say its frame rate; " + to_text(rate) +
           " frames a second are taken, so that its times are a guess");
    }
    if (orientation_of(frame, demuxer->stream()).oblique) {
      warn("'" + path + "' asks to be turned by " + to_text(info.rotation) +
           " degrees; only multiples of 90 are applied, it is shown unturned");
    }
  }

  // ---- reading

  std::optional<Frame> decode() {
    FramePtr picture = held ? std::move(held) : decoder->next();
    if (stats.packets_lost + stats.frames_repaired > 0) refuse_damage();
    if (!picture) {
      at_end();
      return std::nullopt;
    }
    if (clock->leaps(picture->best_effort_timestamp)) {
      held = decoder->next();
      const bool lies = held && clock->goes_on_before(picture->best_effort_timestamp,
                                                      held->best_effort_timestamp);
      if (lies) picture->best_effort_timestamp = AV_NOPTS_VALUE;
    }
    const int64_t own = picture->best_effort_timestamp;
    const int64_t pts = clock->place(own, picture->pts == own);
    return Frame{std::move(picture), pts};
  }

  void advance() {
    current = std::move(ahead);
    ahead.reset();
    rgb_is_current = false;
    ahead = decode();
  }

  int64_t step() const { return std::max<int64_t>(std::llround(1 / (rate * time_base)), 1); }

  int64_t end_of_current() const {
    if (ahead) return ahead->pts;
    if (length.index && length.index->end() > current->pts) return length.index->end();
    const int64_t stated = frame_duration(*current->picture);
    return current->pts + (stated > 0 && stated <= kLargestTimestamp ? stated : step());
  }

  Seconds since_first(int64_t pts) const {
    return Seconds(static_cast<double>(pts - first_pts) * time_base);
  }

  Shown shown() const {
    const Seconds time = since_first(current->pts);
    const int64_t index = length.index ? length.index->frame_at(current->pts)
                                       : std::llround(time.count() * info.fps.value());
    return {index, current->pts, time, since_first(end_of_current())};
  }

  void go_to(Seconds time) {
    if (!std::isfinite(time.count())) {
      throw Error("a frame was asked for at a time that is no number");
    }
    const double ticks = std::floor((time.count() + kTimeSlack) / time_base);
    const double furthest = 4e18;
    const int64_t target =
        ticks >= furthest
            ? INT64_MAX
            : std::max(first_pts, first_pts + static_cast<int64_t>(std::max(ticks, 0.0)));
    if (current && target < current->pts) {
      if (!jump(target)) restart();
    } else if (worth_a_seek(target) && !jump(target)) {
      forward_seeks_work = false;  // reading on would have been quicker
      restart();
    }
    if (!current) advance();
    while (ahead && ahead->pts <= target) advance();
  }

  // ---- seeking

  bool can_seek() const {
    return options.allow_seek && !length.starts_over && clock->exact() && decoder->timed() &&
           !demuxer->live();
  }

  const std::vector<int64_t>& keys() {
    if (!keys_known) {
      keys_known = true;
      // Matroska's index is read at the first seek, and lists what its writer liked.
      key_list = demuxer->container() == "matroska,webm" ? length.keys : demuxer->key_timestamps();
    }
    return key_list;
  }

  // Key frames are listed by decoding or by presentation time, which differ by the reordering.
  int64_t latest_start(int64_t target) const {
    const int64_t reorder = demuxer->stream().codecpar->video_delay + 1;
    const int64_t margin = reorder * step();
    return target < INT64_MIN + margin ? INT64_MIN : target - margin;
  }

  bool worth_a_seek(int64_t target) {
    if (!forward_seeks_work || !can_seek() || !ahead || target <= ahead->pts) return false;
    const double skipped = static_cast<double>(target) - static_cast<double>(decoder->position());
    if (skipped * time_base < 4 / rate) return false;
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
    held.reset();
    current.reset();
    rgb_is_current = false;
    do {
      ahead = decode();
      if (!ahead || decoder->whole_from() == AV_NOPTS_VALUE || !clock->exact()) return false;
    } while (ahead->pts < decoder->whole_from() || Decoder::lacks_references(*ahead->picture));
    return ahead->pts <= target;
  }

  void restart() {
    if (demuxer->live()) throw InputError("'" + path + "' is a live stream, which cannot go back");
    ++stats.seeks;
    demuxer->rewind();
    decoder->restart(*demuxer, /*after_seek=*/false);
    clock->restart();
    held.reset();
    current.reset();
    rgb_is_current = false;
    ahead = decode();
    if (!ahead) throw Error("'" + path + "' changed while it was read");
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
    for (const FilmIndex::Gap& gap : gaps) missing += gap.damaged || damaged ? gap.frames : 0;
    return missing;
  }

  std::string damage() const {
    std::string text;
    const auto add = [&](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
    if (stats.packets_lost > 0) {
      add(to_text(stats.packets_lost) + " of " + to_text(stats.packets_read) +
          " packets could not be decoded");
    }
    if (stats.frames_repaired > 0) {
      add(to_text(stats.frames_repaired) + " of " + to_text(stats.frames_decoded) +
          " frames were decoded with errors");
    }
    if (const int64_t missing = missing_frames(); missing > 0) {
      add(to_text(missing) + (missing == 1 ? " frame is" : " frames are") + " missing");
    }
    if (truncated_at) {
      add("it ends at " + one_decimal(*truncated_at) + " s of " +
          one_decimal(length.promised.value_or(info.duration)) + " s");
    } else if (!length.torn.empty()) {
      add(length.torn);
    } else if (!failure.empty() && failure != options.source->loss()) {
      add("reading ended early (" + failure + ")");
    }
    if (const std::string loss = options.source->loss(); !loss.empty()) add(loss);
    return text.empty() ? "" : "'" + path + "' is damaged: " + text;
  }

  void find_damage() {
    if (length.index) gaps = length.index->gaps();
    if (!length.promised) return;
    const auto missing = demuxer->missing_from();
    truncated_at = length.passed || !missing ? info.duration : since_first(*missing);
  }

  void at_end() {
    if (!current) return;
    failure = demuxer->failure();
    const Seconds end = since_first(end_of_current());
    const Seconds tolerance(0.2 + 2 / rate);
    const bool told = length.index || demuxer->only_stream() ||
                      claimed_video_duration(*demuxer, first_pts).has_value();
    if (!truncated_at && !length.passed && told && end + tolerance < info.duration) {
      truncated_at = end;
    }
    refuse_damage();
    finish();
  }

  void finish() {
    if (warned) return;
    const std::string line = damage();
    if (line.empty()) return;
    warned = true;
    warn(line + "; the rest is used");
  }

  // ---- pixels

  void give(std::span<uint8_t> rgb) {
    if (rgb.empty()) return;
    const auto bytes = static_cast<size_t>(output_width * output_height * 3);
    if (rgb.size() != bytes) {
      throw Error("a frame needs " + std::to_string(bytes) + " bytes, got room for " +
                  std::to_string(rgb.size()));
    }
    if (!rgb_is_current) {
      rgb_of_current.resize(bytes);
      converter->convert(*current->picture, orientation_of(*current->picture, demuxer->stream()),
                         rgb_of_current);
      ++stats.frames_converted;
      rgb_is_current = true;
    }
    std::copy(rgb_of_current.begin(), rgb_of_current.end(), rgb.begin());
  }

  ReaderOptions options;
  std::string path;
  VideoInfo info;
  FilmLength length;
  std::vector<FilmIndex::Gap> gaps;
  ReadStats stats;
  double time_base = 1;  // s
  double rate = 0;       // frames/s, as the file states it
  int64_t first_pts = 0;
  int64_t output_width = 0;
  int64_t output_height = 0;

  std::unique_ptr<Demuxer> demuxer;
  std::unique_ptr<Decoder> decoder;
  std::unique_ptr<FrameClock> clock;
  std::unique_ptr<Converter> converter;
  std::optional<Frame> current;
  std::optional<Frame> ahead;
  FramePtr held;  // comes after `ahead`; decoded early where the timestamp of that leaps
  std::vector<uint8_t> rgb_of_current;  // a plan may ask for a frame several times
  bool rgb_is_current = false;

  bool keys_known = false;
  bool forward_seeks_work = true;
  std::vector<int64_t> key_list;
  std::optional<Seconds> truncated_at;
  std::string failure;
  bool warned = false;
};

FrameReader::FrameReader(const std::filesystem::path& path, ReaderOptions options)
    : state_(std::make_unique<State>(path, std::move(options))) {}
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;
FrameReader::~FrameReader() = default;

const VideoInfo& FrameReader::info() const { return state_->info; }
const ReaderOptions& FrameReader::options() const { return state_->options; }
int64_t FrameReader::width() const { return state_->output_width; }
int64_t FrameReader::height() const { return state_->output_height; }
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
  if (!state_->ahead) return std::nullopt;
  state_->advance();
  state_->give(rgb);
  return state_->shown();
}

}  // namespace moviechat
