#include "language/video_tokens.h"

namespace moviechat {

VideoTokens read_memory(const ScriptModule& reader, const MemoryView& memory, bool with_attention) {
  const auto blocks = memory.blocks.to(reader.device(), reader.dtype());  // [T, N, C]
  VideoTokens video;
  video.spans = memory.spans;
  if (with_attention) {
    auto read = reader.call_tuple("read", {blocks});
    video.embeddings = read.at(0);
    video.attention = read.at(1);
  } else {
    video.embeddings = reader.call("forward", {blocks});
  }
  return video;
}

}  // namespace moviechat
