#include "score/metrics.h"

#include <algorithm>
#include <string>
#include <vector>

#include "score/words.h"

namespace moviechat::score {
namespace {

/// true: yes, false: no.
std::optional<bool> polarity(const std::string& word) {
  if (word == "yes") return true;
  if (word == "no") return false;
  return std::nullopt;
}

std::optional<bool> polarity_of_reference(std::string_view reference) {
  const size_t end = reference.find_first_of(".,;:!?");
  const auto words = normalised_words(reference.substr(0, end));
  return words.size() == 1 ? polarity(words[0]) : std::nullopt;
}

std::optional<bool> polarity_of_answer(std::string_view answer) {
  const auto words = normalised_words(answer);
  if (words.empty()) return std::nullopt;
  if (const auto first = polarity(words[0])) return first;
  const bool yes = std::find(words.begin(), words.end(), "yes") != words.end();
  const bool no = std::find(words.begin(), words.end(), "no") != words.end();
  return yes == no ? std::nullopt : std::optional(yes);
}

size_t longest_common_subsequence(const std::vector<std::string>& a,
                                  const std::vector<std::string>& b) {
  std::vector<size_t> row(b.size() + 1, 0);  // of the table of prefixes of a × prefixes of b
  for (const std::string& word : a) {
    size_t diagonal = 0;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = word == b[j - 1] ? diagonal + 1 : std::max(above, row[j - 1]);
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

bool exact_match(std::string_view reference, std::string_view answer) {
  return normalised_words(reference) == normalised_words(answer);
}

bool contains(std::string_view reference, std::string_view answer) {
  return has_run(normalised_words(answer), normalised_words(reference));
}

std::optional<bool> yes_no(std::string_view reference, std::string_view answer) {
  const auto right = polarity_of_reference(reference);
  if (!right) return std::nullopt;
  return polarity_of_answer(answer) == right;
}

double rouge_l(std::string_view reference, std::string_view answer) {
  const auto wanted = rouge_words(reference);
  const auto given = rouge_words(answer);
  const auto common = static_cast<double>(longest_common_subsequence(wanted, given));
  if (common == 0) return 0;
  const double precision = common / static_cast<double>(given.size());
  const double recall = common / static_cast<double>(wanted.size());
  return 2 * precision * recall / (precision + recall);
}

}  // namespace moviechat::score
