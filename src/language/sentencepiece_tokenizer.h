#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "language/tokenizer.h"

namespace moviechat {

/// A serialized sentencepiece model → a tokenizer. `name` is the file's, for errors.
std::unique_ptr<Tokenizer> load_sentencepiece(std::string_view model, const std::string& name);

}  // namespace moviechat
