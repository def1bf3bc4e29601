#include "score/words.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/utf8.h"

namespace moviechat::score {
namespace {

/// Python's string.punctuation, and Unicode's.
bool is_punctuation(UChar32 c) {
  return c < 128 ? std::ispunct(static_cast<int>(c)) != 0 : u_ispunct(c) != 0;
}

bool is_ideograph(UChar32 c) { return u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) != 0; }

bool is_of_a_word(UChar32 c) {
  constexpr uint32_t kMarks = U_GC_M_MASK;
  return u_isalnum(c) != 0 || (U_MASK(u_charType(c)) & kMarks) != 0;
}

bool is_article(const std::string& word) { return word == "a" || word == "an" || word == "the"; }

/// Characters → words.
class Words {
 public:
  void add(std::string_view character) { word_ += character; }
  void end() {
    if (!word_.empty()) words_.push_back(std::exchange(word_, {}));
  }
  std::vector<std::string> take() {
    end();
    return std::move(words_);
  }

 private:
  std::string word_;
  std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> normalised_words(std::string_view utf8) {
  Words gathered;
  for_each_character(case_folded(utf8), [&](UChar32 c, std::string_view character) {
    if (is_white_space(c)) {
      gathered.end();
    } else if (!is_punctuation(c)) {
      gathered.add(character);
    }
  });
  std::vector<std::string> words = gathered.take();
  if (!std::all_of(words.begin(), words.end(), is_article)) std::erase_if(words, is_article);
  return words;
}

std::vector<std::string> rouge_words(std::string_view utf8) {
  Words gathered;
  for_each_character(case_folded(utf8), [&](UChar32 c, std::string_view character) {
    if (!is_of_a_word(c) || is_ideograph(c)) gathered.end();
    if (!is_of_a_word(c)) return;
    gathered.add(character);
    if (is_ideograph(c)) gathered.end();
  });
  return gathered.take();
}

bool has_run(const std::vector<std::string>& whole, const std::vector<std::string>& part) {
  return !part.empty() &&
         std::search(whole.begin(), whole.end(), part.begin(), part.end()) != whole.end();
}

}  // namespace moviechat::score
