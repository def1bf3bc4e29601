#include "language/tokenizer.h"

#include "base/files.h"
#include "base/utf8.h"
#include "language/sentencepiece_tokenizer.h"
#include "moviechat/error.h"

namespace moviechat {

std::string Tokenizer::decode(std::span<const int64_t> ids) const {
  Detokenizer detokenizer(*this);
  std::string text;
  for (const int64_t id : ids) text += detokenizer.add(id);
  return text + detokenizer.finish();
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path) {
  const std::string contents = read_file(path, "tokenizer");
  const std::string name = path.filename().string();
  if (contents.starts_with("{")) {
    throw InputError("'" + name +
                     "' looks like a byte-level BPE tokenizer (JSON), which is not supported yet; "
                     "expected a sentencepiece model");
  }
  return load_sentencepiece(contents, name);
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path, int64_t vocabulary) {
  std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(path);
  if (tokenizer->size() != vocabulary) {
    throw InputError("'" + path.filename().string() + "' has " + std::to_string(tokenizer->size()) +
                     " tokens, the language model " + std::to_string(vocabulary) +
                     "; it is another model's tokenizer");
  }
  return tokenizer;
}

std::string Detokenizer::add(int64_t id) {
  pending_ += begun_ ? tokenizer_->bytes_of(id) : tokenizer_->first_bytes_of(id);
  begun_ = begun_ || tokenizer_->begins_text(id);
  return take(false);
}

std::string Detokenizer::finish() { return take(true); }

std::string Detokenizer::take(bool last) {
  std::string text;
  size_t at = 0;
  while (at < pending_.size()) {
    const std::string_view rest = std::string_view(pending_).substr(at);
    const int length = utf8_character(rest);
    if (length == 0 && !last) break;
    if (length > 0) {
      text += rest.substr(0, length);
      at += length;
    } else {
      text += "\xEF\xBF\xBD";  // U+FFFD for each byte, as sentencepiece does
      ++at;
    }
  }
  pending_.erase(0, at);
  return text;
}

}  // namespace moviechat
