#include "video/mp4_edits.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

namespace moviechat {
namespace {

constexpr int64_t kMostSamples = 1 << 24;  // 77 hours of 60 frames a second

struct Box {
  uint32_t type = 0;
  int64_t body = 0;
  int64_t end = 0;
};

constexpr uint32_t code(std::string_view name) {
  uint32_t value = 0;
  for (const char c : name) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

/// The boxes between two positions of a file; those that a damaged size cuts off are left out.
std::vector<Box> boxes(AVIOContext& io, int64_t begin, int64_t end) {
  constexpr size_t kMost = 10000;
  std::vector<Box> found;
  while (end - begin >= 8 && found.size() < kMost && avio_seek(&io, begin, SEEK_SET) == begin) {
    int64_t size = avio_rb32(&io);
    const uint32_t type = avio_rb32(&io);
    int64_t header = 8;
    if (size == 1) {
      size = static_cast<int64_t>(avio_rb64(&io));
      header = 16;
    } else if (size == 0) {
      size = end - begin;
    }
    if (size < header || size > end - begin) break;
    found.push_back({type, begin + header, begin + size});
    begin += size;
  }
  return found;
}

std::optional<Box> child(AVIOContext& io, const std::optional<Box>& parent, std::string_view name) {
  if (!parent) return std::nullopt;
  for (const Box& box : boxes(io, parent->body, parent->end)) {
    if (box.type == code(name)) return box;
  }
  return std::nullopt;
}

/// Goes to a full box's fields and gives its version.
int version(AVIOContext& io, const Box& box) {
  avio_seek(&io, box.body, SEEK_SET);
  return static_cast<int>(avio_rb32(&io) >> 24);
}

/// Ticks a second of a movie or track header; 0 when there is none.
double timescale(AVIOContext& io, const std::optional<Box>& header) {
  if (!header) return 0;
  avio_skip(&io, version(io, *header) == 1 ? 16 : 8);  // creation and modification time
  return avio_rb32(&io);
}

/// A table of runs: so many samples have this value.
class Runs {
 public:
  Runs(AVIOContext& io, const std::optional<Box>& box) : io_(&io) {
    if (!box) return;
    version(io, *box);
    left_ = avio_rb32(io_);
    at_ = box->body + 8;
    left_ = std::min(left_, std::max<int64_t>(box->end - at_, 0) / 8);
  }

  /// The next sample's value as its 32 bits; nullopt after the last one.
  std::optional<uint32_t> next() {
    while (samples_ == 0) {
      if (used_ == read_.size() && !refill()) return std::nullopt;
      samples_ = read_[used_].samples;
      value_ = read_[used_++].value;
    }
    --samples_;
    return value_;
  }

 private:
  struct Run {
    uint32_t samples = 0;
    uint32_t value = 0;
  };

  bool refill() {
    if (left_ == 0 || avio_seek(io_, at_, SEEK_SET) != at_) return false;
    read_.clear();
    used_ = 0;
    for (; left_ > 0 && read_.size() < 2048; --left_, at_ += 8) {
      const uint32_t samples = avio_rb32(io_);
      read_.push_back({samples, avio_rb32(io_)});
    }
    return avio_feof(io_) == 0;
  }

  AVIOContext* io_;
  int64_t at_ = 0;
  int64_t left_ = 0;
  std::vector<Run> read_;
  size_t used_ = 0;
  uint32_t samples_ = 0;
  uint32_t value_ = 0;
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

/// Every frame is shown from the edit's start on and before its end. False for more frames than any
/// film has, as damaged tables tell of.
bool shows_all(AVIOContext& io, const Box& track, const Edit& edit) {
  const auto media = child(io, track, "mdia");
  const auto tables = child(io, child(io, media, "minf"), "stbl");
  const double ticks = timescale(io, child(io, media, "mdhd"));
  const auto steps_box = child(io, tables, "stts");
  if (!steps_box || ticks <= 0) return false;
  Runs steps(io, steps_box);
  Runs delays(io, child(io, tables, "ctts"));
  int64_t decoded = 0;
  int64_t last = 0;
  bool first = true;
  int64_t samples = 0;
  while (const auto step = steps.next()) {
    if (++samples > kMostSamples) return false;
    const int64_t shown = decoded + static_cast<int32_t>(delays.next().value_or(0));
    if (shown < edit.start || (first && shown != edit.start)) return false;
    first = false;
    last = std::max(last, shown);
    decoded += *step;
    if (decoded > int64_t{1} << 60) return false;
  }
  const double end = static_cast<double>(edit.start) + edit.length * ticks;
  return !first && (edit.length == 0 || static_cast<double>(last) < end);
}

}  // namespace

bool edits_change_nothing(AVIOContext& io) {
  const int64_t size = avio_size(&io);
  std::optional<Box> movie;
  for (const Box& box : boxes(io, 0, size)) {
    if (box.type == code("moov")) movie = box;
  }
  if (!movie || child(io, movie, "mvex")) return false;
  const double movie_ticks = timescale(io, child(io, movie, "mvhd"));
  for (const Box& track : boxes(io, movie->body, movie->end)) {
    if (track.type != code("trak")) continue;
    const auto handler = child(io, child(io, track, "mdia"), "hdlr");
    if (!handler) return false;
    version(io, *handler);
    avio_skip(&io, 4);
    if (avio_rb32(&io) != code("vide")) continue;
    const auto list = child(io, child(io, track, "edts"), "elst");
    if (!list) continue;
    const auto edit = only_edit(io, *list, movie_ticks);
    if (!edit || !shows_all(io, track, *edit)) return false;
  }
  return true;
}

}  // namespace moviechat
