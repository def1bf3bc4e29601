#include "media/mp4_boxes.h"

namespace moviechat::mp4 {

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

std::optional<Box> descendant(AVIOContext& io, const std::optional<Box>& parent,
                              std::initializer_list<std::string_view> path) {
  std::optional<Box> box = parent;
  for (const std::string_view name : path) box = child(io, box, name);
  return box;
}

int version(AVIOContext& io, const Box& box) {
  avio_seek(&io, box.body, SEEK_SET);
  return static_cast<int>(avio_rb32(&io) >> 24);
}

std::optional<Box> movie_of(AVIOContext& io) {
  std::optional<Box> movie;
  for (const Box& box : boxes(io, 0, avio_size(&io))) {
    if (box.type == code("moov")) movie = box;
  }
  return movie;
}

std::vector<Box> tracks_of(AVIOContext& io, const Box& movie) {
  std::vector<Box> tracks = boxes(io, movie.body, movie.end);
  std::erase_if(tracks, [](const Box& box) { return box.type != code("trak"); });
  return tracks;
}

int64_t number_of(AVIOContext& io, const Box& track) {
  const auto header = child(io, track, "tkhd");
  if (!header) return 0;
  avio_skip(&io, version(io, *header) == 1 ? 16 : 8);  // creation and modification time
  return avio_rb32(&io);
}

uint32_t handler_of(AVIOContext& io, const Box& track) {
  const auto handler = descendant(io, track, {"mdia", "hdlr"});
  if (!handler) return 0;
  version(io, *handler);
  avio_skip(&io, 4);
  return avio_rb32(&io);
}

}  // namespace moviechat::mp4
