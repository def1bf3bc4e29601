#include <fmt/format.h>

#include <algorithm>

#include "base/moment.h"
#include "base/text.h"
#include "cli/report.h"

namespace moviechat::cli {
namespace {

constexpr Seconds kShown{5};  // how long an answer about a moment stays

struct Cue {
  Seconds start{0};
  Seconds end{0};
  std::string text;
};

/// 0:00:05.000 → 00:00:05,000
std::string srt_time(Seconds time) {
  std::string text = clock_text(time, ',');
  if (text.find(':') < 2) text.insert(0, "0");
  return text;
}

void add_cues(const Answer& answer, Seconds duration, std::vector<Cue>& cues) {
  const std::string text = one_line(answer.question.text) + "\n" + one_line(answer.text);
  for (const Evidence& span : answer.evidence) cues.push_back({span.start, span.end, text});
  if (!answer.evidence.empty()) return;
  if (answer.at) {
    cues.push_back({*answer.at, *answer.at + kShown, text});
  } else {
    cues.push_back({Seconds(0), duration, text});
  }
}

}  // namespace

std::string format_srt(const RunReport& report) {
  std::vector<Cue> cues;
  for (const Answer& answer : report.run.answers) {
    add_cues(answer, report.run.video.duration, cues);
  }
  std::stable_sort(cues.begin(), cues.end(),
                   [](const Cue& a, const Cue& b) { return a.start < b.start; });
  std::string text;
  for (size_t i = 0; i < cues.size(); ++i) {
    text += fmt::format("{}{}\n{} --> {}\n{}\n", i == 0 ? "" : "\n", i + 1, srt_time(cues[i].start),
                        srt_time(cues[i].end), cues[i].text);
  }
  return text;
}

}  // namespace moviechat::cli
