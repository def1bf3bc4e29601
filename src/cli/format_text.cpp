#include <array>
#include <cstdio>

#include "base/moment.h"
#include "cli/report.h"
#include "cli/terminal.h"

namespace moviechat::cli {
namespace {

std::string evidence_line(const Evidence& evidence) {
  std::array<char, 32> score{};
  std::snprintf(score.data(), score.size(), "%.3f", evidence.score);
  return "  [" + clock_text(evidence.start) + " - " + clock_text(evidence.end) + "] " +
         score.data() + "\n";
}

}  // namespace

std::string format_text(const Answer& answer, bool several) {
  std::string text = (several ? one_line(answer.text) : answer.text) + "\n";
  for (const Evidence& evidence : answer.evidence) text += evidence_line(evidence);
  return text;
}

std::string format_text(const Report& report) {
  const std::vector<Answer>& answers = report.run.answers;
  std::string text;
  for (const Answer& answer : answers) text += format_text(answer, answers.size() > 1);
  return text;
}

}  // namespace moviechat::cli
