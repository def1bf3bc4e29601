#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "moviechat/fields.h"

namespace moviechat::score {

/// Metric that scores an answer.
enum class Metric { exact, contains, yesno, rouge_l, judge };

/// Exact match: reference and answer have the same normalised words.
bool exact_match(std::string_view reference, std::string_view answer);

/// Containment: the reference's normalised words stand in the answer, one after the other.
bool contains(std::string_view reference, std::string_view answer);

/// Agreement with a reference that is yes or no, alone or before a punctuation mark ("Yes, he
/// is."). The answer's first word decides, else the one of the two words that it holds; an answer
/// that holds neither or both is wrong. nullopt: another kind of reference.
std::optional<bool> yes_no(std::string_view reference, std::string_view answer);

/// ROUGE-L: F1 of the longest common subsequence of words, 0 to 1.
double rouge_l(std::string_view reference, std::string_view answer);

}  // namespace moviechat::score

namespace moviechat {
template <>
struct EnumNames<score::Metric> {
  static constexpr std::array values{
      std::pair{std::string_view("exact"), score::Metric::exact},
      std::pair{std::string_view("contains"), score::Metric::contains},
      std::pair{std::string_view("yesno"), score::Metric::yesno},
      std::pair{std::string_view("rouge-l"), score::Metric::rouge_l},
      std::pair{std::string_view("judge"), score::Metric::judge}};
};
}  // namespace moviechat
