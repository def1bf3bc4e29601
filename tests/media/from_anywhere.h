#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "media/film_source.h"
#include "media/frame_reader.h"

namespace moviechat::testing {

/// Small frames from any source, whose server is given up after a second.
inline ReaderOptions from_anywhere(std::vector<std::string>* warnings = nullptr) {
  ReaderOptions options;
  options.size = 16;
  options.allow_url = true;
  options.patience = 1;
  if (warnings != nullptr) {
    options.warn = [warnings](const std::string& line) { warnings->push_back(line); };
  }
  return options;
}

/// All frames of a film and when they are shown.
struct Frames {
  std::vector<double> times;
  std::vector<std::vector<uint8_t>> pixels;
  bool operator==(const Frames&) const = default;
};
inline Frames all_frames(FrameReader& reader) {
  Frames frames;
  std::vector<uint8_t> rgb(reader.frame_bytes());
  while (const auto shown = reader.next(rgb)) {
    frames.times.push_back(shown->time.count());
    frames.pixels.push_back(rgb);
  }
  return frames;
}
inline Frames frames_of_file(const std::filesystem::path& path) {
  FrameReader reader(path, from_anywhere());
  return all_frames(reader);
}

inline int64_t bytes_fetched(const FrameReader& reader) {
  return reader.options().source->bytes_read();
}

/// The message of what a film's opening or reading throws.
inline std::string refusal(const std::string& film, const ReaderOptions& options) {
  try {
    FrameReader reader(film, options);
    while (reader.next()) {
    }
  } catch (const InputError& error) {
    return error.what();
  }
  return "read";
}

/// A variable of the environment, for as long as this lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

}  // namespace moviechat::testing
