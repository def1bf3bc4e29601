#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moviechat::score {

/// Words of an answer as SQuAD's evaluate-v1.1.py compares them: without case, punctuation and the
/// articles a, an, the. Beyond ASCII: Unicode's NFKC case folding, and all that Unicode
/// calls punctuation. Unlike there, a text of nothing but articles keeps them, so that the choice
/// "A" is an answer.
std::vector<std::string> normalised_words(std::string_view utf8);

/// Words as Google's rouge-score takes them, without stemming: runs of letters and digits, case
/// folded. Beyond ASCII: letters of all scripts with their marks; ideographs one by one.
std::vector<std::string> rouge_words(std::string_view utf8);

/// Whether `part` stands in `whole`, word after word. An empty part stands in nothing.
bool has_run(const std::vector<std::string>& whole, const std::vector<std::string>& part);

}  // namespace moviechat::score
