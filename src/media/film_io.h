#pragma once

#include <exception>
#include <memory>

#include "media/ffmpeg.h"
#include "media/film_source.h"

namespace moviechat {

/// A film's source as FFmpeg reads it, from a position of its own.
class FilmIo {
 public:
  explicit FilmIo(std::shared_ptr<FilmSource> source);

  AVIOContext* context() const { return context_.get(); }

  /// The source can seek from now on, or cannot.
  void update() { context_->seekable = source_->can_seek() ? AVIO_SEEKABLE_NORMAL : 0; }

  /// Throws what a read threw: no exception passes through FFmpeg.
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  struct Free {
    void operator()(AVIOContext* io) const {
      av_freep(&io->buffer);
      avio_context_free(&io);
    }
  };
  int read(uint8_t* room, int size);
  int64_t seek(int64_t offset, int whence);

  std::shared_ptr<FilmSource> source_;
  std::unique_ptr<AVIOContext, Free> context_;
  int64_t position_ = 0;
  std::exception_ptr thrown_;
};

}  // namespace moviechat
