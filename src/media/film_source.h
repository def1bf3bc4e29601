#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "moviechat/callbacks.h"
#include "moviechat/time.h"

namespace moviechat {

struct ReaderOptions;

/// Source of the bytes of a film: a file, a pipe, a web server. All readers of a film share one, so
/// that the film is opened once. One thread at a time.
class FilmSource {
 public:
  /// The source that `path` names: a file, a pipe, /dev/stdin, with options.allow_url an address.
  /// InputError when there is none, or nothing comes from it.
  static std::shared_ptr<FilmSource> open(const std::string& path, const ReaderOptions& options);

  virtual ~FilmSource() = default;
  FilmSource(const FilmSource&) = delete;
  FilmSource& operator=(const FilmSource&) = delete;

  /// Name in messages: the path, or the address without its password.
  const std::string& name() const { return name_; }
  const CancelFlag* cancel() const { return cancel_; }

  /// Longest time for which a server may send nothing.
  Seconds patience() const { return patience_; }

  /// The address of a stream that FFmpeg has to read by itself (rtsp), so that nothing here gives
  /// its bytes; nullptr of all others.
  virtual const std::string* address_for_ffmpeg() const { return nullptr; }

  /// Bytes from `offset` on, at least one, for which it waits; 0 at the end.
  virtual size_t read(int64_t offset, std::span<uint8_t> room) = 0;

  /// All bytes there are; nullopt as long as that is unknown.
  virtual std::optional<int64_t> size() const = 0;

  /// Any offset can be read at any time.
  virtual bool can_seek() const = 0;

  /// All of it can be read again without being fetched again.
  virtual bool is_kept() const = 0;

  /// Prepares reading; to be called once the format is known, before more than the beginning is
  /// read. A source that cannot seek is fetched whole, so that it can, unless frames are wanted as
  /// they come and the format can be read so.
  virtual void prepare(bool /*needs_seeking*/) {}

  /// Loss: the part of the film that is missing, and why: "the connection was cut after 5 of 9
  /// bytes"; "" when nothing is known to be.
  virtual std::string loss() const { return {}; }

  /// Bytes that were fetched or read so far.
  int64_t bytes_read() const { return bytes_read_; }

 protected:
  FilmSource(std::string name, const ReaderOptions& options);
  void count(size_t bytes) { bytes_read_ += static_cast<int64_t>(bytes); }
  void check_cancel() const {
    if (cancel_ != nullptr) cancel_->check();
  }

 private:
  std::string name_;
  const CancelFlag* cancel_;
  Seconds patience_;
  int64_t bytes_read_ = 0;
};

}  // namespace moviechat
