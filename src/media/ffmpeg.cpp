#include "media/ffmpeg.h"

#include <array>
#include <cstdarg>
#include <mutex>

#include "base/message.h"

namespace moviechat {
namespace {

thread_local int64_t* complaints = nullptr;

void count_complaint(void* /*object*/, int level, const char* /*format*/, va_list /*values*/) {
  if (level <= AV_LOG_WARNING && complaints != nullptr) ++*complaints;
}

}  // namespace

std::string av_reason(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

void throw_out_of_memory(const std::string& doing, const std::string& path) {
  constexpr size_t kPlenty = size_t{64} << 20;  // bytes
  const std::unique_ptr<void, FreeBy<av_free>> room(av_malloc(kPlenty));
  if (!room) throw OutOfResources(fmt::format("out of memory while {} '{}'", doing, path));
  throw input_error(
      "'{}' claims more than memory could hold: it is damaged; expected a whole video file", path);
}

int av_check(int code, const std::string& doing) {
  if (code < 0) throw Error(fmt::format("{}: {}", doing, av_reason(code)));
  return code;
}

void silence_ffmpeg() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(count_complaint); });
}

ComplaintCount::ComplaintCount(int64_t& count) { complaints = &count; }
ComplaintCount::~ComplaintCount() { complaints = nullptr; }

}  // namespace moviechat
