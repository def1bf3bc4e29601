#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "media/film_source.h"
#include "media/frame_reader.h"
#include "media/spool.h"
#include "media/transfer.h"

namespace moviechat {

/// A film that comes by transfers. What came is kept in a spool, so that nothing is fetched twice.
/// Where transfers can begin anywhere, any offset can be read: a short way ahead is read through,
/// for any other a new transfer begins. Where they cannot, the film can be read once as it comes,
/// or is brought here whole first.
class StreamSource : public FilmSource {
 public:
  using Begin = std::function<std::unique_ptr<Transfer>(int64_t offset)>;

  /// `begin` makes the transfers, the first one included where `first` is null; without it `first`
  /// is the only one. InputError when nothing comes.
  StreamSource(const std::string& name, const ReaderOptions& options,
               std::unique_ptr<Transfer> first, Begin begin = nullptr);

  size_t read(int64_t offset, std::span<uint8_t> room) override;
  std::optional<int64_t> size() const override { return size_; }
  bool can_seek() const override { return whole_ || (begin_anywhere_ && size_); }
  bool is_kept() const override {
    return whole_ || (can_seek() && spool_.open() && *size_ <= spool_.most());
  }
  void prepare(bool needs_seeking) override;
  std::string loss() const override { return loss_; }

 private:
  void learn();
  bool go_to(int64_t offset);
  size_t take(std::span<uint8_t> room);
  bool begin_again(int64_t offset);
  void ended();
  void keep_all();

  Begin begin_;
  std::unique_ptr<Transfer> transfer_;
  ProgressSink progress_;
  bool as_it_comes_;
  Spool spool_;
  std::vector<uint8_t> beginning_;  // of the film, for the look at its format
  int64_t at_ = 0;                  // the transfer's next byte
  int64_t tried_again_at_ = 0;      // there the connection was cut before
  std::optional<int64_t> size_;
  std::string version_;
  bool begin_anywhere_ = false;
  bool whole_ = false;  // all of it is in the spool
  std::string loss_;
};

}  // namespace moviechat
