#include "video/ffmpeg.h"

#include <array>
#include <mutex>

namespace moviechat {

std::string av_reason(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

int av_check(int code, const std::string& doing) {
  if (code < 0) throw Error(doing + ": " + av_reason(code));
  return code;
}

void silence_ffmpeg() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_level(AV_LOG_QUIET); });
}

}  // namespace moviechat
