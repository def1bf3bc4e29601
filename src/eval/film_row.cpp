#include "eval/film_row.h"

namespace moviechat::eval {

Prediction unanswered(const Film& film, int64_t index) {
  Prediction row;
  row.index = index;
  row.video = film.name;
  row.id = film.id;
  for (const Item& item : film.items) {
    Result& result = row.results.emplace_back();
    result.id = item.id;
    result.mode = item.breakpoint() ? Mode::breakpoint : Mode::global;
    result.question = item.question;
    result.reference = item.reference;
    result.category = item.category;
    result.frame = item.frame;
  }
  return row;
}

void fill_in(Prediction& row, const RunResult& run, bool evidence) {
  const bool read = run.plan.kind != PlanKind::none;
  if (read) {
    row.video_info = {run.video.duration.count(), run.video.fps.value(), run.video.frames};
  }
  row.counts = run.counts;
  auto next = run.answers.begin();
  for (Result& result : row.results) {
    if (result.error) continue;  // was not asked
    const Answer& answer = *next++;
    if (answer.at) result.at = answer.at->count();
    result.answer = answer.text;
    result.token_ids = answer.token_ids;
    result.finish_reason = answer.finish_reason;
    result.prompt_tokens = answer.prompt_tokens;
    result.answer_tokens = answer.answer_tokens;
    if (evidence) result.evidence = answer.evidence;
  }
}

}  // namespace moviechat::eval
