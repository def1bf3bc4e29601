// film_cost FILM PLAN: reads a film ("all": every frame; else as the plan says) and prints what
// that took: the process's peak memory in kB, packets read, frames decoded, seeks. For
// memory_test.cpp.

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "media/frame_reader.h"
#include "moviechat/sampling_plan.h"

namespace moviechat {
namespace {

/// VmHWM of this process in kB.
int64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6));
  }
  return -1;
}

void read(FrameReader& reader, const std::string& plan) {
  if (plan == "all") {
    while (reader.next()) {
    }
    return;
  }
  std::vector<uint8_t> rgb(reader.frame_bytes());
  for (const Clip& clip : make_plan(parse_plan(plan), reader.info().timing(), 64).clips) {
    for (const Sample& sample : clip.samples) reader.shown_at(sample.time, rgb);
  }
}

}  // namespace
}  // namespace moviechat

int main(int count, char** words) {
  if (count != 3) {
    std::cerr << "film_cost: expected FILM PLAN\n";
    return 2;
  }
  moviechat::ReaderOptions options;
  options.size = 32;
  options.threads = 2;
  moviechat::FrameReader reader(words[1], options);
  moviechat::read(reader, words[2]);
  const moviechat::ReadStats& stats = reader.stats();
  std::cout << moviechat::peak_memory() << ' ' << stats.packets_read << ' ' << stats.frames_decoded
            << ' ' << stats.seeks << '\n';
}
