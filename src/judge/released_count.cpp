#include <algorithm>
#include <cctype>

#include "judge/verdict.h"

namespace moviechat::judge {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string without_punctuation(std::string text) {
  std::erase_if(text, [](unsigned char c) { return c < 128 && std::ispunct(c) != 0; });
  return text;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

std::optional<Verdict> counted_as_released(const JudgeQuestion& question, const Verdict& verdict) {
  const std::string asked = lower(question.question);
  const bool yes_or_no = asked.starts_with("do") || asked.starts_with("is") ||
                         asked.starts_with("are");  // "does" begins with "do"
  const std::string& answer = question.answer;
  const std::string reference = without_punctuation(question.reference);

  Verdict counted = verdict;
  if (yes_or_no) {
    // reference: only where the answer holds 'Yes' or 'No', and then in the reference's own case
    if (holds(answer, "Yes") || holds(answer, "No")) counted.right = holds(answer, reference);
  } else if (holds(answer, reference) || holds(answer, lower(reference))) {
    counted.right = true;
  }
  constexpr double kThreshold = 2.9;
  const bool agrees = counted.right ? verdict.score >= kThreshold : verdict.score <= kThreshold;
  return agrees ? std::optional(counted) : std::nullopt;
}

}  // namespace moviechat::judge
