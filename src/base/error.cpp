#include "moviechat/error.h"

#include <algorithm>
#include <array>

namespace moviechat {
namespace {

/// oneDNN's words where it has no room for what it compiles; its other failures are of descriptors.
bool tells_of_code(std::string_view message) {
  constexpr std::string_view kWords = "could not create a primitive";
  const size_t at = message.find(kWords);
  return at != std::string_view::npos &&
         !message.substr(at + kWords.size()).starts_with(" descriptor");
}

}  // namespace

bool tells_of_memory(std::string_view message) {
  // Words of libtorch's allocators and its TorchScript interpreter, of the C library and of CUDA.
  constexpr std::array<std::string_view, 6> kWords = {"allocate memory", "not enough memory",
                                                      "out of memory",   "Out of memory",
                                                      "bad_alloc",       "alloc_cpu"};
  return tells_of_code(message) ||
         std::any_of(kWords.begin(), kWords.end(), [&](std::string_view words) {
           return message.find(words) != std::string_view::npos;
         });
}

}  // namespace moviechat
