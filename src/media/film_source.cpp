#include "media/film_source.h"

#include <strings.h>

#include <cctype>
#include <string_view>

#include "base/http.h"
#include "base/message.h"
#include "media/file_source.h"
#include "media/frame_reader.h"
#include "media/http_transfer.h"
#include "media/stream_source.h"

namespace moviechat {
namespace {

bool has_scheme(const std::string& path, std::string_view scheme) {
  return path.size() > scheme.size() &&
         ::strncasecmp(path.data(), scheme.data(), scheme.size()) == 0;
}

/// InputError where control characters stand in an address, as they are or as %0D: line ends could
/// become headers.
void check_address(const std::string& address) {
  const auto is_control = [](int byte) { return (byte >= 0 && byte < 0x20) || byte == 0x7f; };
  const auto digit = [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) == 0 ? -1
           : c <= '9'                                        ? c - '0'
                                                             : (c & 7) + 9;
  };
  for (size_t i = 0; i < address.size(); ++i) {
    bool found = is_control(static_cast<unsigned char>(address[i]));
    if (address[i] == '%' && i + 2 < address.size()) {
      const int high = digit(address[i + 1]);
      const int low = digit(address[i + 2]);
      found = found || (high >= 0 && low >= 0 && is_control(high * 16 + low));
    }
    if (!found) continue;
    throw input_error("video '{}' holds control characters, such as line ends; take them out",
                      without_password(address));
  }
}

/// FFmpeg reads the stream by itself.
class RtspSource : public FilmSource {
 public:
  RtspSource(const std::string& address, const ReaderOptions& options)
      : FilmSource(without_password(address), options), address_(address) {}
  const std::string* address_for_ffmpeg() const override { return &address_; }
  size_t read(int64_t /*offset*/, std::span<uint8_t> /*room*/) override { return 0; }
  std::optional<int64_t> size() const override { return std::nullopt; }
  bool can_seek() const override { return false; }
  bool is_kept() const override { return false; }

 private:
  std::string address_;
};

}  // namespace

FilmSource::FilmSource(std::string name, const ReaderOptions& options)
    : name_(std::move(name)), cancel_(options.cancel), patience_(options.patience) {
  check_ranges(options, "video.");
}

std::shared_ptr<FilmSource> FilmSource::open(const std::string& path,
                                             const ReaderOptions& options) {
  const bool rtsp = has_scheme(path, "rtsp://");
  const bool http = has_scheme(path, "http://") || has_scheme(path, "https://");
  if (!rtsp && !http) return open_local(path, options);
  if (!options.allow_url) {
    throw input_error("video '{}' is an address; set video.allow_url to open http, https and rtsp",
                      without_password(path));
  }
  check_address(path);
  if (rtsp) return std::make_shared<RtspSource>(path, options);
  web_address("video", path);
  return std::make_shared<StreamSource>(
      without_password(path), options, nullptr,
      [path, patience = Seconds(options.patience), cancel = options.cancel](int64_t at) {
        return std::make_unique<HttpTransfer>(path, at, patience, cancel);
      });
}

}  // namespace moviechat
