#include <array>
#include <cstdio>

#include "cli/report.h"
#include "cli/terminal.h"
#include "moviechat/support/moment.h"

namespace moviechat::cli {
namespace {

std::string evidence_line(const Evidence& evidence) {
  std::array<char, 32> score{};
  std::snprintf(score.data(), score.size(), "%.3f", evidence.score);
  return "  [" + clock_text(evidence.start) + " - " + clock_text(evidence.end) + "] " +
         score.data() + "\n";
}

}  // namespace

std::string format_text(const Report& report) {
  const bool several = report.run.answers.size() > 1;
  std::string text;
  for (const Answer& answer : report.run.answers) {
    text += (several ? one_line(answer.text) : answer.text) + "\n";
    for (const Evidence& evidence : answer.evidence) text += evidence_line(evidence);
  }
  return text;
}

}  // namespace moviechat::cli
