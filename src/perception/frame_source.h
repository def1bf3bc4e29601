#pragma once

#include "bundle/tensor.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "media/frame_reader.h"
#include "perception/feature_file.h"
#include "perception/frame_encoder.h"

namespace moviechat {

/// A film by time → blocks: frames that are decoded, or features of frames from a file. One thread
/// at a time, but that encode() may run beside the others.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  FrameSource() = default;
  FrameSource(const FrameSource&) = delete;
  FrameSource& operator=(const FrameSource&) = delete;

  virtual const VideoInfo& info() const = 0;
  /// Times in seconds mean something: they are the film's.
  virtual bool times_known() const { return true; }
  /// When frames come on screen, by their indices; nullopt: there is no such frame.
  virtual std::vector<std::optional<Seconds>> times_of(
      const std::vector<int64_t>& frames) const = 0;
  /// What is on screen at `time`.
  virtual Shown shown_at(Seconds time) = 0;
  /// An empty batch of so many slots.
  virtual torch::Tensor make_batch(int64_t slots) const = 0;
  /// Brings what is on screen at `time` into a slot, batch[i].
  virtual void load(Seconds time, const torch::Tensor& slot) = 0;
  /// A batch or the first slots of one [n, …] → blocks [n, N, C].
  virtual torch::Tensor encode(const torch::Tensor& slots) const = 0;
  /// Says what was lost when the end of the film is not read.
  virtual void finish() {}
  virtual ReadStats stats() const { return {}; }
};

/// A video file. A slot is uint8 [S, S, 3].
class VideoFrameSource : public FrameSource {
 public:
  VideoFrameSource(FrameReader reader, const FrameEncoder& encoder);

  const VideoInfo& info() const override { return reader_.info(); }
  std::vector<std::optional<Seconds>> times_of(const std::vector<int64_t>& frames) const override;
  Shown shown_at(Seconds time) override { return reader_.shown_at(time); }
  torch::Tensor make_batch(int64_t slots) const override;
  void load(Seconds time, const torch::Tensor& slot) override;
  torch::Tensor encode(const torch::Tensor& slots) const override;
  void finish() override { reader_.finish(); }
  ReadStats stats() const override { return reader_.stats(); }

 private:
  FrameReader reader_;
  const FrameEncoder& encoder_;
};

/// A file of features, which pass the ViT by. A slot is [P, D] of the file's dtype. info().path is
/// the file's, codec its dtype.
class FeatureFrameSource : public FrameSource {
 public:
  FeatureFrameSource(FeatureFile file, const FrameEncoder& encoder);

  const VideoInfo& info() const override { return info_; }
  bool times_known() const override { return file_.times_from() != TimesFrom::nowhere; }
  std::vector<std::optional<Seconds>> times_of(const std::vector<int64_t>& frames) const override;
  Shown shown_at(Seconds time) override;
  torch::Tensor make_batch(int64_t slots) const override;
  void load(Seconds time, const torch::Tensor& slot) override;
  torch::Tensor encode(const torch::Tensor& slots) const override;

 private:
  FeatureFile file_;
  VideoInfo info_;
  const FrameEncoder& encoder_;
};

/// InputError when features are not of the sizes that a bundle's ViT gives.
void check_features(const FeatureFile& file, const BundleSpec& bundle);

}  // namespace moviechat
