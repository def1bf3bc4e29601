#pragma once

#include <cstdint>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "media/frame_reader.h"

namespace moviechat::testing {

/// A kind of video file and how the ffmpeg program makes one. In `command`, {out} is the file;
/// {src} a moving test picture as input; {dir} a folder for what else is needed.
struct FilmKind {
  std::string name;
  std::string file;
  std::string command;
  int stream = 0;        // which video stream is to be read
  bool duration = true;  // its duration is that of its frames, as ffprobe shows them
};
inline void PrintTo(const FilmKind& kind, std::ostream* out) { *out << kind.name; }

/// Every kind that a reader must get right.
const std::vector<FilmKind>& film_kinds();

/// The file of a kind, made on first use and kept until the program ends.
std::filesystem::path film(const FilmKind& kind);
std::filesystem::path film(const std::string& kind);

/// A folder that lasts as long as the program.
const std::filesystem::path& films_folder();

/// Runs ffmpeg with `arguments`; throws with its words when it fails.
void ffmpeg(const std::string& arguments);

/// What ffmpeg itself decodes: each frame's timestamp and pixels, S·S·3 or as large as it is (0).
struct Decoded {
  std::vector<int64_t> pts;
  std::vector<std::vector<uint8_t>> rgb;
};
Decoded decoded_by_ffmpeg(const std::filesystem::path& path, int stream, int64_t size);

/// Frames of that size, 0: as they are.
ReaderOptions sized(int64_t size);

/// Overwrites bytes: `offset` from the `occurrence`-th place where `mark` stands.
void patch(const std::filesystem::path& path, const std::string& mark, int64_t offset,
           const std::string& bytes, int occurrence = 0);

std::string bytes_of(const std::filesystem::path& path);
void write_bytes(const std::filesystem::path& path, const std::string& bytes);

}  // namespace moviechat::testing
