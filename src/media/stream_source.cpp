#include "media/stream_source.h"

#include <algorithm>
#include <array>

#include "base/message.h"

namespace moviechat {
namespace {

constexpr int64_t kReadThrough = 1 << 20;  // bytes; a new request takes as long as some of them
constexpr size_t kBeginning = 64 << 10;    // bytes
constexpr int64_t kWorthAnotherTry = 64 << 10;  // bytes that came before the connection was cut
constexpr int64_t kMegabyte = 1'000'000;

}  // namespace

StreamSource::StreamSource(const std::string& name, const ReaderOptions& options,
                           std::unique_ptr<Transfer> first, Begin begin)
    : FilmSource(name, options),
      begin_(std::move(begin)),
      transfer_(first ? std::move(first) : begin_(0)),
      progress_(options.progress),
      as_it_comes_(options.as_it_comes),
      spool_(options.spool) {
  learn();
  std::array<uint8_t, 4096> bytes{};
  if (take(bytes) > 0) return;
  if (!loss_.empty()) throw input_error("video '{}' cannot be fetched: {}", name, loss_);
  throw input_error("video '{}' is empty (0 bytes); expected a video file", name);
}

/// What the transfer that begins says.
void StreamSource::learn() {
  const Transfer::FilmFacts film = transfer_->film();
  at_ = film.start;
  begin_anywhere_ = begin_ && film.ranges;
  if (film.size) size_ = film.size;
  version_ = film.version;
}

size_t StreamSource::read(int64_t offset, std::span<uint8_t> room) {
  check_cancel();
  if (offset < std::ssize(beginning_)) {
    const auto from = beginning_.begin() + offset;
    const auto count = std::min(room.size(), static_cast<size_t>(beginning_.end() - from));
    std::copy_n(from, count, room.begin());
    return count;
  }
  if (const size_t kept = spool_.get(offset, room); kept > 0) return kept;
  if (!loss_.empty() || (size_ && offset >= *size_) || !go_to(offset)) return 0;
  return take(room);
}

/// Makes `offset` the transfer's next byte. False where the film ends before it.
bool StreamSource::go_to(int64_t offset) {
  const bool near = offset >= at_ && offset - at_ <= kReadThrough;
  if (!near && begin_anywhere_ && !begin_again(offset)) return false;
  if (offset < at_) {
    throw input_error(
        "video '{}' comes only once and is needed again; let it be kept (video.spool), "
        "or give a file",
        name());
  }
  std::array<uint8_t, 1 << 16> skipped;
  while (at_ < offset) {
    const auto most = std::min<int64_t>(offset - at_, std::ssize(skipped));
    if (take({skipped.data(), static_cast<size_t>(most)}) == 0) return false;
  }
  return true;
}

/// The next bytes of the transfer, which are kept if they can be.
size_t StreamSource::take(std::span<uint8_t> room) {
  const size_t got = transfer_->read(room);
  if (got == 0) {
    const int64_t end = at_;
    if (begin_anywhere_ && transfer_->cut() && end - tried_again_at_ >= kWorthAnotherTry) {
      tried_again_at_ = end;
      if (begin_again(end) && at_ == end) return take(room);
    }
    ended();
    return 0;
  }
  count(got);
  const auto bytes = room.first(got);
  if (at_ == std::ssize(beginning_) && beginning_.size() < kBeginning) {
    const size_t missing = std::min(kBeginning - beginning_.size(), got);
    beginning_.insert(beginning_.end(), bytes.begin(),
                      bytes.begin() + static_cast<int64_t>(missing));
  }
  spool_.put(at_, bytes);
  at_ += static_cast<int64_t>(got);
  return got;
}

bool StreamSource::begin_again(int64_t offset) {
  const std::optional<int64_t> size = size_;
  const std::string version = version_;
  transfer_ = begin_(offset);
  if (!transfer_->failure().empty()) {
    at_ = offset;
    ended();
    return false;
  }
  learn();
  if (size_ != size || version_ != version) {
    throw input_error("video '{}' changed while it was read", name());
  }
  return true;
}

/// Nothing more comes from the transfer.
void StreamSource::ended() {
  if (!loss_.empty()) return;
  loss_ = transfer_->failure();
  if (loss_.empty() && size_ && at_ < *size_) loss_ = "the connection was closed";
  if (!loss_.empty() && at_ > 0) {
    loss_ += fmt::format(" after {}{} bytes", at_,
                         size_ ? fmt::format(" of {}", *size_) : std::string());
  }
  if (!can_seek()) size_ = at_;
}

void StreamSource::prepare(bool needs_seeking) {
  if (can_seek()) return;
  if (as_it_comes_ && !needs_seeking) {
    spool_.close();
  } else if (spool_.wanted()) {
    keep_all();
  } else if (needs_seeking) {
    throw input_error(
        "video '{}' cannot be read as it comes (its index lies at its end, or its "
        "format goes back), and video.spool 0 keeps nothing; raise it, or give a file",
        name());
  }
}

void StreamSource::keep_all() {
  std::array<uint8_t, 1 << 16> bytes;
  int64_t told = 0;
  while (spool_.open() && take(bytes) > 0) {
    check_cancel();
    if (!progress_ || at_ / kMegabyte == told) continue;
    told = at_ / kMegabyte;
    progress_({"fetching", told, size_.value_or(0) / kMegabyte, "MB"});
  }
  const std::string line =
      fmt::format("video '{}' is needed whole: {}; or read it as it comes: set plan.kind to fps",
                  name(), spool_.failure());
  if (spool_.kind() == Spool::Failure::limit) throw InputError(line);
  if (spool_.kind() == Spool::Failure::disk) throw Error(line);
  whole_ = true;
}

}  // namespace moviechat
