#pragma once

#include <string>
#include <vector>

#include "moviechat/result.h"

namespace moviechat {

/// JSON lines {"question": …, "at": …, "at_frame": …} → questions. `origin` names the file in
/// errors.
std::vector<Question> parse_questions(const std::string& lines, const std::string& origin);

/// InputError for text that is empty or not UTF-8; `name` stands for it there.
void check_question_text(const std::string& text, const std::string& name);

}  // namespace moviechat
