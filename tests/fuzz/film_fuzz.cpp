// A film of whatever bytes: its container, its index, a plan over it and the first frames of that.

#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>
#include <vector>

#include "fuzz/fuzz.h"
#include "media/film_index.h"
#include "media/frame_reader.h"
#include "media/frame_times.h"
#include "moviechat/sampling_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moviechat;
  const int file = memfd_create("film", MFD_CLOEXEC);
  if (file < 0 || write(file, data, size) != static_cast<ssize_t>(size)) {
    throw std::runtime_error("no memory for a film");
  }
  fuzz::try_to([&] {
    ReaderOptions options;
    options.size = 16;
    options.threads = 1;
    options.max_pixels = 1 << 16;  // more would only be slower
    FrameReader reader("/proc/self/fd/" + std::to_string(file), options);
    const VideoInfo& info = reader.info();
    if (info.index && info.index->frames() != info.frames) throw Error("frames are miscounted");
    if (info.index) info.index->gaps();
    std::vector<uint8_t> rgb(reader.frame_bytes());
    PlanOptions plan;
    plan.kind = PlanKind::uniform;
    plan.frames = 4;
    for (const Clip& clip : make_plan(plan, info.timing(), 1).clips) {
      for (const Sample& sample : clip.samples) {
        time_of_frame(info, sample.frame);
        const Shown shown = reader.shown_at(sample.time, rgb);
        if (shown.end < shown.time) throw Error("a frame ends before it begins");
      }
    }
    reader.finish();
  });
  close(file);
  return 0;
}
