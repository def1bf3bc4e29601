#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moviechat {

/// Text ↔ token ids. Const after construction; any number of threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Plain text → ids. Whatever the text says ("</s>"), control ids never come out. The text is
  /// valid UTF-8.
  virtual std::vector<int64_t> encode(std::string_view text) const = 0;

  /// What a token adds in the middle of a text: bytes, not always whole characters. Empty for
  /// special tokens and ids that the tokenizer does not know.
  virtual std::string_view bytes_of(int64_t id) const = 0;

  /// What it adds while there is no text yet: mostly the same without the space that encoding put
  /// first.
  virtual std::string_view first_bytes_of(int64_t id) const = 0;

  /// Whether the token takes the place of the first one, even if it adds nothing.
  virtual bool begins_text(int64_t id) const = 0;

  /// Number of ids: 0 … size() − 1.
  virtual int64_t size() const = 0;

  /// Ids → text. Special tokens are dropped; bytes that are not UTF-8 become U+FFFD.
  std::string decode(std::span<const int64_t> ids) const;
};

/// Reads a bundle's tokenizer, its kind told by content. InputError names the file and what was
/// found.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path);
/// The same for a language model that knows `vocabulary` tokens. InputError when it knows others.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path, int64_t vocabulary);

/// Token ids one by one → text in whole characters. Keeps the bytes of an unfinished character.
class Detokenizer {
 public:
  explicit Detokenizer(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}

  /// The text that became certain with this token.
  std::string add(int64_t id);
  /// What is left: bytes that no character came of, as U+FFFD.
  std::string finish();

 private:
  std::string take(bool last);

  const Tokenizer* tokenizer_;
  bool begun_ = false;
  std::string pending_;
};

}  // namespace moviechat
