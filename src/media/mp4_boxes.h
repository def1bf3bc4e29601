#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "media/ffmpeg.h"

namespace moviechat::mp4 {

/// Box of an MP4 file: its four letters and the extent of its contents.
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
std::vector<Box> boxes(AVIOContext& io, int64_t begin, int64_t end);

/// The first box of a name in another one; nullopt when there is none, or no other one.
std::optional<Box> child(AVIOContext& io, const std::optional<Box>& parent, std::string_view name);

/// The box at the end of a path of names: "mdia", "minf", "stbl".
std::optional<Box> descendant(AVIOContext& io, const std::optional<Box>& parent,
                              std::initializer_list<std::string_view> path);

/// Goes to a full box's fields and gives its version.
int version(AVIOContext& io, const Box& box);

/// The last "moov" of a file.
std::optional<Box> movie_of(AVIOContext& io);

/// The tracks of a movie.
std::vector<Box> tracks_of(AVIOContext& io, const Box& movie);

/// The track header's number of a track, which is FFmpeg's id of the stream; 0 when there is none.
int64_t number_of(AVIOContext& io, const Box& track);

/// Kind of a track, by its handler: code("vide"); 0 when it has none.
uint32_t handler_of(AVIOContext& io, const Box& track);

}  // namespace moviechat::mp4
