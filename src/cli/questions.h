#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "moviechat/engine.h"

namespace moviechat::cli {

/// The questions of --question with their --at or --at-frame, then those of --questions. InputError
/// for contradictions, and for text that is empty or not UTF-8.
std::vector<Question> questions_of(const Arguments& arguments);

/// JSON lines {"question": …, "at": …, "at_frame": …} → questions. `origin` names the file in
/// errors.
std::vector<Question> parse_questions(const std::string& lines, const std::string& origin);

}  // namespace moviechat::cli
