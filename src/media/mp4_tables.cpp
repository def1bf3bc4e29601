#include "media/mp4_tables.h"

#include <algorithm>
#include <array>
#include <optional>
#include <queue>
#include <vector>

#include "media/film_index.h"
#include "media/mp4_boxes.h"

namespace moviechat {
namespace {

using namespace mp4;

constexpr int64_t kMostSamples = 1 << 24;  // 77 hours of 60 frames a second

/// Ticks a second of a movie or track header; 0 when there is none.
double timescale(AVIOContext& io, const std::optional<Box>& header) {
  if (!header) return 0;
  avio_skip(&io, version(io, *header) == 1 ? 16 : 8);  // creation and modification time
  return avio_rb32(&io);
}

/// The 32-bit words of a table, read some at a time.
class Words {
 public:
  Words(AVIOContext& io, int64_t begin, int64_t count) : io_(&io), at_(begin), left_(count) {}

  /// nullopt after the last one, and where the file ends.
  std::optional<uint32_t> next() {
    if (used_ == read_.size() && !refill()) return std::nullopt;
    return read_[used_++];
  }

 private:
  bool refill() {
    if (left_ == 0 || avio_seek(io_, at_, SEEK_SET) != at_) return false;
    read_.clear();
    used_ = 0;
    for (; left_ > 0 && read_.size() < 4096; --left_, at_ += 4) read_.push_back(avio_rb32(io_));
    return avio_feof(io_) == 0;
  }

  AVIOContext* io_;
  int64_t at_;
  int64_t left_;
  std::vector<uint32_t> read_;
  size_t used_ = 0;
};

/// `count` entries of a table from `begin` on, as many as its box has room for.
Words words_of(AVIOContext& io, const Box& box, int64_t begin, int64_t count, int64_t words = 1) {
  const int64_t room = std::max<int64_t>(box.end - begin, 0) / (4 * words);
  return {io, begin, std::min(count, room) * words};
}

/// A table of runs: so many samples have this value.
class Runs {
 public:
  Runs(AVIOContext& io, const std::optional<Box>& box) : words_(io, 0, 0) {
    if (!box) return;
    version(io, *box);
    words_ = words_of(io, *box, box->body + 8, avio_rb32(&io), 2);
  }

  /// The next sample's value as its 32 bits; nullopt after the last one.
  std::optional<uint32_t> next() {
    while (samples_ == 0) {
      const auto samples = words_.next();
      const auto value = words_.next();
      if (!samples || !value) return std::nullopt;
      samples_ = *samples;
      value_ = *value;
    }
    --samples_;
    return value_;
  }

 private:
  Words words_;
  uint32_t samples_ = 0;
  uint32_t value_ = 0;
};

/// The table of sample sizes: one for all, or one each.
class Sizes {
 public:
  Sizes(AVIOContext& io, const Box& box) : words_(io, 0, 0) {
    version(io, box);
    same_ = avio_rb32(&io);
    count_ = avio_rb32(&io);
    words_ = words_of(io, box, box.body + 12, count_);
  }

  int64_t count() const { return count_; }

  /// The next sample's bytes; 0 after the last one.
  uint32_t next() { return same_ != 0 ? same_ : words_.next().value_or(0); }

 private:
  Words words_;
  uint32_t same_ = 0;
  int64_t count_ = 0;
};

struct Edit {
  double length = 0;  // s; 0: to the end
  int64_t start = 0;  // in the track's ticks
};

/// The one edit of a list; nullopt for a longer list, a pause or another speed.
std::optional<Edit> only_edit(AVIOContext& io, const Box& list, double movie_ticks) {
  const bool wide = version(io, list) == 1;
  if (avio_rb32(&io) != 1) return std::nullopt;
  const auto length = static_cast<double>(wide ? avio_rb64(&io) : avio_rb32(&io));
  const int64_t start =
      wide ? static_cast<int64_t>(avio_rb64(&io)) : static_cast<int32_t>(avio_rb32(&io));
  if (avio_rb32(&io) != 0x10000 || start < 0 || movie_ticks <= 0) return std::nullopt;
  return Edit{length / movie_ticks, start};
}

/// One sample of a track, in ticks of its media.
struct SampleTime {
  int64_t shown = 0;
  int64_t duration = 0;
  bool empty = false;  // repeats the frame before it
};

/// Hands a track's samples to `take` in the order of decoding, until it returns false. False for
/// tables that are missing, contradict each other, or tell of more samples than `bytes` of file can
/// hold, or any film has, as damaged ones do.
template <class Take>
bool for_each_sample(AVIOContext& io, const Box& track, int64_t bytes, const Take& take) {
  const auto tables = descendant(io, track, {"mdia", "minf", "stbl"});
  const auto steps_box = child(io, tables, "stts");
  const auto sizes_box = child(io, tables, "stsz");
  if (!steps_box || !sizes_box) return false;
  Sizes sizes(io, *sizes_box);
  const int64_t count = sizes.count();
  if (count > kMostSamples || count > bytes) return false;
  Runs steps(io, steps_box);
  Runs delays(io, child(io, tables, "ctts"));
  int64_t decoded = 0;
  int64_t samples = 0;
  while (const auto step = steps.next()) {
    if (++samples > count || decoded > int64_t{1} << 60) return false;
    const int64_t shown = decoded + static_cast<int32_t>(delays.next().value_or(0));
    if (!take(SampleTime{shown, static_cast<int64_t>(*step), sizes.next() == 0})) return false;
    decoded += *step;
  }
  return samples > 0 && samples == count;
}

/// Every frame is shown from the edit's start on and before its end.
bool shows_all(AVIOContext& io, const Box& track, const Edit& edit) {
  const double ticks = timescale(io, descendant(io, track, {"mdia", "mdhd"}));
  if (ticks <= 0) return false;
  int64_t last = 0;
  bool first = true;
  const bool whole = for_each_sample(io, track, avio_size(&io), [&](const SampleTime& sample) {
    if (sample.shown < edit.start || (first && sample.shown != edit.start)) return false;
    first = false;
    last = std::max(last, sample.shown);
    return true;
  });
  const double end = static_cast<double>(edit.start) + edit.length * ticks;
  return whole && (edit.length == 0 || static_cast<double>(last) < end);
}

/// A table whose number of entries is larger than its box.
bool claims_more_than_it_holds(AVIOContext& io, const Box& table) {
  struct Layout {
    const char* name;
    int64_t head;   // bytes before the number of entries, after version and flags
    int64_t entry;  // bytes of one
  };
  // ISO 14496-12, 8.6 and 8.7
  constexpr std::array<Layout, 7> kLayouts{{{"stts", 0, 8},
                                            {"ctts", 0, 8},
                                            {"stsc", 0, 12},
                                            {"stco", 0, 4},
                                            {"co64", 0, 8},
                                            {"stss", 0, 4},
                                            {"stsz", 4, 4}}};
  for (const Layout& layout : kLayouts) {
    if (table.type != code(layout.name)) continue;
    version(io, table);
    const bool same_for_all = layout.head > 0 && avio_rb32(&io) != 0;
    const int64_t room = table.end - table.body - 8 - layout.head;
    return !same_for_all && int64_t{avio_rb32(&io)} * layout.entry > room;
  }
  return false;
}

}  // namespace

bool has_absurd_tables(AVIOContext& io) {
  // Sound of old QuickTime counts samples of which a packet holds many.
  constexpr int64_t kSoundSamplesAByte = 256;
  const std::optional<Box> movie = movie_of(io);
  if (!movie) return false;
  int64_t least_bytes = 0;
  for (const Box& track : tracks_of(io, *movie)) {
    const auto tables = descendant(io, track, {"mdia", "minf", "stbl"});
    if (!tables) continue;
    for (const Box& table : boxes(io, tables->body, tables->end)) {
      if (claims_more_than_it_holds(io, table)) return true;
    }
    const auto sizes = child(io, tables, "stsz");
    if (!sizes) continue;
    const int64_t samples = Sizes(io, *sizes).count();
    least_bytes += handler_of(io, track) == code("soun") ? samples / kSoundSamplesAByte : samples;
  }
  return least_bytes > avio_size(&io);
}

bool edits_change_nothing(AVIOContext& io) {
  const std::optional<Box> movie = movie_of(io);
  if (!movie || child(io, movie, "mvex")) return false;
  const double movie_ticks = timescale(io, child(io, movie, "mvhd"));
  for (const Box& track : tracks_of(io, *movie)) {
    const uint32_t handler = handler_of(io, track);
    if (handler == 0) return false;
    if (handler != code("vide")) continue;
    const auto list = descendant(io, track, {"edts", "elst"});
    if (!list) continue;
    const auto edit = only_edit(io, *list, movie_ticks);
    if (!edit || !shows_all(io, track, *edit)) return false;
  }
  return true;
}

std::vector<int64_t> auxiliary_tracks(AVIOContext& io) {
  std::vector<int64_t> numbers;
  const std::optional<Box> movie = movie_of(io);
  if (!movie) return numbers;
  for (const Box& track : tracks_of(io, *movie)) {
    bool auxiliary = handler_of(io, track) == code("auxv");
    // ISO/IEC 14496-12, 8.3.3: a picture's alpha or depth, a depth, and thumbnails of another track
    if (const auto references = child(io, track, "tref")) {
      for (const Box& box : boxes(io, references->body, references->end)) {
        auxiliary |=
            box.type == code("auxl") || box.type == code("vdep") || box.type == code("thmb");
      }
    }
    if (auxiliary) numbers.push_back(number_of(io, track));
  }
  return numbers;
}

std::shared_ptr<FilmIndex> index_of_track(AVIOContext& io, int64_t track, double tick,
                                          int64_t start, int64_t frames) {
  constexpr size_t kDeepestReorder = 64;  // samples
  const std::optional<Box> movie = movie_of(io);
  if (!movie) return nullptr;
  for (const Box& box : tracks_of(io, *movie)) {
    if (number_of(io, box) != track) continue;
    auto index = std::make_shared<FilmIndex>(tick);
    index->reserve(frames);
    const auto later = [](const SampleTime& a, const SampleTime& b) { return a.shown > b.shown; };
    std::priority_queue<SampleTime, std::vector<SampleTime>, decltype(later)> waiting(later);
    std::optional<int64_t> offset;  // of FFmpeg's timestamps
    bool orderly = true;
    int64_t last = INT64_MIN;
    int64_t end = 0;
    const auto pop = [&] {
      const SampleTime sample = waiting.top();
      waiting.pop();
      if (!offset) offset = start - sample.shown;
      const int64_t pts = sample.shown + *offset;
      orderly = orderly && pts >= last;
      last = pts;
      if (!orderly) return;
      if (sample.empty) {
        end = pts + sample.duration;
        return;
      }
      index->add(pts);
      end = pts + std::max<int64_t>(sample.duration, 0);
    };
    const bool whole = for_each_sample(io, box, avio_size(&io), [&](const SampleTime& sample) {
      waiting.push(sample);
      if (waiting.size() > kDeepestReorder) pop();
      return orderly;
    });
    while (whole && !waiting.empty()) pop();
    if (!whole || !orderly || index->frames() == 0) return nullptr;
    index->end_at(end);
    return index;
  }
  return nullptr;
}

}  // namespace moviechat
