#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "moviechat/fields.h"

namespace moviechat::judge {

/// What an answer is scored by.
enum class Metric { exact, contains, yesno, rouge_l, judge };

/// Reference and answer have the same normalised words.
bool exact_match(std::string_view reference, std::string_view answer);

/// The reference's normalised words stand in the answer, one after the other.
bool contains(std::string_view reference, std::string_view answer);

/// Of a reference that is yes or no, alone or before a punctuation mark ("Yes, he is."): whether
/// the answer says the same. An answer says what its first word says, else the one of the two that
/// it holds; an answer that holds neither or both is wrong. nullopt: another kind of reference.
std::optional<bool> yes_no(std::string_view reference, std::string_view answer);

/// F1 of the longest common subsequence of words, 0 to 1.
double rouge_l(std::string_view reference, std::string_view answer);

}  // namespace moviechat::judge

namespace moviechat {
template <>
struct EnumNames<judge::Metric> {
  static constexpr std::array values{
      std::pair{std::string_view("exact"), judge::Metric::exact},
      std::pair{std::string_view("contains"), judge::Metric::contains},
      std::pair{std::string_view("yesno"), judge::Metric::yesno},
      std::pair{std::string_view("rouge-l"), judge::Metric::rouge_l},
      std::pair{std::string_view("judge"), judge::Metric::judge}};
};
}  // namespace moviechat
