#include "judge/verdict.h"

#include <fmt/format.h>

#include <cctype>
#include <map>

#include "moviechat/error.h"
#include "moviechat/fields.h"

namespace moviechat::judge {
namespace {

/// Parser of the dictionary that begins at a '{': keys and plain values, in any quotes or none.
class Dictionary {
 public:
  explicit Dictionary(std::string_view text) : text_(text) {}

  std::optional<std::map<std::string, std::string>> read() {
    std::map<std::string, std::string> entries;
    if (!take('{')) return std::nullopt;
    while (!take('}')) {
      const auto key = word(":");
      if (!key || !take(':')) return std::nullopt;
      const auto value = word(",}");
      if (!value || !entries.emplace(*key, *value).second) return std::nullopt;
      if (!take(',') && !at('}')) return std::nullopt;
    }
    return entries;
  }

  /// Characters that read() went through.
  size_t steps() const { return place_; }

 private:
  void skip_blanks() {
    while (place_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[place_]))) {
      ++place_;
    }
  }
  bool at(char c) {
    skip_blanks();
    return place_ < text_.size() && text_[place_] == c;
  }
  bool take(char c) {
    if (!at(c)) return false;
    ++place_;
    return true;
  }
  std::optional<std::string> word(std::string_view ends) {
    for (const char quote : {'\'', '"'}) {
      if (take(quote)) return quoted(quote);
    }
    const size_t begin = place_;
    for (; place_ < text_.size() && ends.find(text_[place_]) == std::string_view::npos; ++place_) {
      if (std::string_view("{}[]'\"\n").find(text_[place_]) != std::string_view::npos) {
        return std::nullopt;
      }
    }
    std::string word(text_.substr(begin, place_ - begin));
    while (!word.empty() && std::isspace(static_cast<unsigned char>(word.back()))) word.pop_back();
    return word.empty() ? std::nullopt : std::optional(word);
  }
  std::optional<std::string> quoted(char quote) {
    std::string word;
    for (; place_ < text_.size(); ++place_) {
      if (text_[place_] == quote) {
        ++place_;
        return word;
      }
      if (text_[place_] == '\\' && place_ + 1 < text_.size()) ++place_;
      word += text_[place_];
    }
    return std::nullopt;
  }

  std::string_view text_;
  size_t place_ = 0;
};

std::optional<Verdict> verdict_of(const std::map<std::string, std::string>& entries) {
  const auto pred = entries.find("pred");
  const auto score = entries.find("score");
  if (pred == entries.end() || score == entries.end()) return std::nullopt;
  std::string word;
  for (const unsigned char c : pred->second) word += static_cast<char>(std::tolower(c));
  if (word != "yes" && word != "no") return std::nullopt;
  Verdict verdict{.right = word == "yes"};
  try {
    from_text("score", score->second, verdict.score);
  } catch (const InputError&) {
    return std::nullopt;
  }
  if (verdict.score < 0 || verdict.score > 5) return std::nullopt;
  return verdict;
}

}  // namespace

std::string reply_of(const Verdict& verdict) {
  return fmt::format("{{'pred': '{}', 'score': {}}}", verdict.right ? "yes" : "no",
                     to_text(verdict.score));
}

std::optional<Verdict> parse_verdict(std::string_view reply) {
  constexpr std::string_view kThought = "</think>";
  if (const size_t end = reply.rfind(kThought); end != std::string_view::npos) {
    reply.remove_prefix(end + kThought.size());
  }
  std::optional<Verdict> found;
  constexpr size_t kStepsForEach = 16;  // dictionaries within dictionaries are read again
  size_t steps = 0;
  for (size_t open = reply.find('{'); open != std::string_view::npos;
       open = reply.find('{', open + 1)) {
    Dictionary dictionary(reply.substr(open));
    const auto entries = dictionary.read();
    steps += dictionary.steps();
    if (steps > kStepsForEach * reply.size()) return std::nullopt;
    if (!entries || !entries->contains("pred")) continue;
    const auto verdict = verdict_of(*entries);
    if (!verdict || (found && found != verdict)) return std::nullopt;
    found = verdict;
  }
  return found;
}

}  // namespace moviechat::judge
