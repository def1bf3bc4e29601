#pragma once

#include "bundle/tensor.h"

#include <vector>

#include "bundle/script_module.h"
#include "memory/memory_view.h"

namespace moviechat {

/// A memory as the language model sees it.
struct VideoTokens {
  torch::Tensor embeddings;  // [Q, H]
  torch::Tensor attention;   // [Q, T]: how much each embedding looked at each block; undefined
                             // unless asked for
  std::vector<Span> spans;   // of the T blocks
};

/// Blocks with their positions → video embeddings, by the bundle's memory reader.
VideoTokens read_memory(const ScriptModule& reader, const MemoryView& memory, bool with_attention);

}  // namespace moviechat
