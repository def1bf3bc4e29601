#include "media/film_io.h"

#include <limits>

namespace moviechat {
namespace {

constexpr int kBufferBytes = 32 << 10;

}  // namespace

FilmIo::FilmIo(std::shared_ptr<FilmSource> source) : source_(std::move(source)) {
  auto* buffer = static_cast<uint8_t*>(av_allocated(av_malloc(kBufferBytes)));
  context_.reset(avio_alloc_context(
      buffer, kBufferBytes, /*write_flag=*/0, this,
      [](void* io, uint8_t* room, int size) { return static_cast<FilmIo*>(io)->read(room, size); },
      nullptr,
      [](void* io, int64_t offset, int whence) {
        return static_cast<FilmIo*>(io)->seek(offset, whence);
      }));
  if (!context_) {
    av_free(buffer);
    throw Error("out of memory while reading a video");
  }
  update();
}

int FilmIo::read(uint8_t* room, int size) {
  if (thrown_) return AVERROR_EXIT;
  try {
    const size_t got = source_->read(position_, {room, static_cast<size_t>(size)});
    position_ += static_cast<int64_t>(got);
    return got == 0 ? AVERROR_EOF : static_cast<int>(got);
  } catch (...) {
    thrown_ = std::current_exception();
    return AVERROR_EXIT;
  }
}

int64_t FilmIo::seek(int64_t offset, int whence) {
  const std::optional<int64_t> size = source_->size();
  if ((whence & AVSEEK_SIZE) != 0) return size.value_or(AVERROR(ENOSYS));
  if (!source_->can_seek()) return AVERROR(ESPIPE);
  int64_t from = 0;
  if ((whence & ~AVSEEK_FORCE) == SEEK_CUR) from = position_;
  if ((whence & ~AVSEEK_FORCE) == SEEK_END) from = size.value_or(0);
  if (offset < -from || offset > std::numeric_limits<int64_t>::max() - from) return AVERROR(EINVAL);
  position_ = from + offset;
  return position_;
}

}  // namespace moviechat
