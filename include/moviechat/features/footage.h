#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "moviechat/features/feature_file.h"
#include "moviechat/features/frame_encoder.h"
#include "moviechat/video/frame_reader.h"

namespace moviechat {

/// A film by time → blocks: frames that are decoded, or features of frames from a file. Holds one
/// batch of either. One thread at a time.
class Footage {
 public:
  virtual ~Footage() = default;
  Footage() = default;
  Footage(const Footage&) = delete;
  Footage& operator=(const Footage&) = delete;

  virtual const VideoInfo& info() const = 0;
  /// Times in seconds mean something: they are the film's.
  virtual bool times_known() const { return true; }
  /// When frames come on screen, by their indices; nullopt: there is no such frame.
  virtual std::vector<std::optional<Seconds>> times_of(
      const std::vector<int64_t>& frames) const = 0;
  /// What is on screen at `time`.
  virtual Shown shown_at(Seconds time) = 0;
  /// Brings it into a slot of the batch.
  virtual void load(Seconds time, int64_t slot) = 0;
  /// The batch's first `count` slots → blocks [count, N, C].
  virtual torch::Tensor encode(int64_t count) = 0;
  /// Says what was lost when the end of the film is not read.
  virtual void finish() {}
  virtual ReadStats stats() const { return {}; }
};

/// A video file.
class VideoFootage : public Footage {
 public:
  VideoFootage(const std::filesystem::path& path, ReaderOptions options,
               const FrameEncoder& encoder, int64_t batch);

  const VideoInfo& info() const override { return reader_.info(); }
  std::vector<std::optional<Seconds>> times_of(const std::vector<int64_t>& frames) const override;
  Shown shown_at(Seconds time) override { return reader_.shown_at(time); }
  void load(Seconds time, int64_t slot) override;
  torch::Tensor encode(int64_t count) override;
  void finish() override { reader_.finish(); }
  ReadStats stats() const override { return reader_.stats(); }

 private:
  ReaderOptions options_;
  FrameReader reader_;
  const FrameEncoder& encoder_;
  torch::Tensor batch_;  // uint8 [batch, S, S, 3]
};

/// A file of features, which pass the ViT by. info().path is the file's, codec its dtype.
class FeatureFootage : public Footage {
 public:
  FeatureFootage(FeatureFile file, const FrameEncoder& encoder, int64_t batch);

  const VideoInfo& info() const override { return info_; }
  bool times_known() const override { return file_.times_from() != TimesFrom::nowhere; }
  std::vector<std::optional<Seconds>> times_of(const std::vector<int64_t>& frames) const override;
  Shown shown_at(Seconds time) override;
  void load(Seconds time, int64_t slot) override;
  torch::Tensor encode(int64_t count) override;

 private:
  FeatureFile file_;
  VideoInfo info_;
  const FrameEncoder& encoder_;
  torch::Tensor batch_;  // [batch, P, D] of the file's dtype
};

/// InputError when features are not of the sizes that a bundle's ViT gives.
void check_features(const FeatureFile& file, const BundleSpec& bundle);

}  // namespace moviechat
