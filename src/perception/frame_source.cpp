#include "perception/frame_source.h"

#include <cmath>
#include <span>
#include <sstream>

#include "bundle/device.h"
#include "media/frame_times.h"
#include "moviechat/error.h"

namespace moviechat {
namespace {

VideoInfo info_of(const FeatureFile& file) {
  constexpr double kDenominator = 1e6;
  VideoInfo info;
  info.path = file.path().string();
  info.container = file.header().format;
  info.codec = dtype_name(file.header().dtype);
  info.frames = file.frames();
  info.duration = file.duration();
  const double fps = static_cast<double>(info.frames) / info.duration.count();
  info.fps = {std::max<int64_t>(1, std::llround(fps * kDenominator)),
              static_cast<int64_t>(kDenominator)};
  return info;
}

}  // namespace

VideoFrameSource::VideoFrameSource(FrameReader reader, const FrameEncoder& encoder)
    : reader_(std::move(reader)), encoder_(encoder) {}

std::vector<std::optional<Seconds>> VideoFrameSource::times_of(
    const std::vector<int64_t>& frames) const {
  std::vector<std::optional<Seconds>> times;
  times.reserve(frames.size());
  for (const int64_t frame : frames) times.push_back(time_of_frame(info(), frame));
  return times;
}

torch::Tensor VideoFrameSource::make_batch(int64_t slots) const {
  return encoder_.make_batch(slots);
}

void VideoFrameSource::load(Seconds time, const torch::Tensor& slot) {
  reader_.shown_at(time,
                   std::span<uint8_t>(slot.data_ptr<uint8_t>(), static_cast<size_t>(slot.numel())));
}

torch::Tensor VideoFrameSource::encode(const torch::Tensor& slots) const {
  return encoder_.encode(slots);
}

FeatureFrameSource::FeatureFrameSource(FeatureFile file, const FrameEncoder& encoder)
    : file_(std::move(file)), info_(info_of(file_)), encoder_(encoder) {}

std::vector<std::optional<Seconds>> FeatureFrameSource::times_of(
    const std::vector<int64_t>& frames) const {
  std::vector<std::optional<Seconds>> times;
  for (const int64_t frame : frames) {
    const bool exists = frame >= 0 && frame < file_.frames();
    times.push_back(exists ? std::optional(file_.time_of(frame)) : std::nullopt);
  }
  return times;
}

Shown FeatureFrameSource::shown_at(Seconds time) {
  const int64_t frame = file_.frame_at(time);
  return {frame, frame, file_.time_of(frame), file_.time_of(frame + 1)};
}

torch::Tensor FeatureFrameSource::make_batch(int64_t slots) const {
  return encoder_.make_batch({slots, file_.patches(), file_.width()}, file_.header().dtype);
}

void FeatureFrameSource::load(Seconds time, const torch::Tensor& slot) {
  file_.read(file_.frame_at(time), slot);
}

torch::Tensor FeatureFrameSource::encode(const torch::Tensor& slots) const {
  return encoder_.condense(slots);
}

void check_features(const FeatureFile& file, const BundleSpec& bundle) {
  const BundleSizes& sizes = bundle.sizes;
  if (file.patches() == sizes.patches && file.width() == sizes.vit_width) return;
  std::ostringstream message;
  message << "features '" << file.path().string() << "' are "
          << c10::IntArrayRef(file.header().shape) << ", ";
  if (sizes.patches == 0) {
    message << "and bundle '" << bundle.name
            << "' does not say what its ViT gives (sizes.patch_tokens, sizes.vit_width); convert "
               "the bundle again";
  } else {
    message << "the ViT of bundle '" << bundle.name << "' gives [frames, " << sizes.patches << ", "
            << sizes.vit_width << "]; they are of another model";
  }
  throw InputError(message.str());
}

}  // namespace moviechat
