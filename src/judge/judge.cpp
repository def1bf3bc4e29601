#include "judge/judge.h"

#include <set>

#include "judge/judge_run.h"
#include "moviechat/error.h"
#include "moviechat/fields.h"

namespace moviechat::judge {
namespace {

void check(const JudgeOptions& options) {
  endpoint_address(options.url);
  request_body(options, {});
  if (options.model.empty()) throw InputError("the judge needs a model: --judge-model NAME");
  Range<int64_t>{1, 256}.check("--judge-concurrency", options.concurrency);
  Range<int64_t>{0, 1000}.check("--judge-retries", options.retries);
  Range<double>{0.001, 86400}.check("--judge-timeout", options.timeout.count());  // a day
}

/// Whether a question needs no further request.
bool settled(const KeptReplies& kept, const JudgeOptions& options) {
  return kept.verdict || kept.malformed > options.malformed_retries;
}

}  // namespace

Judgement ask_judge(const std::vector<JudgeQuestion>& questions, const JudgeOptions& options,
                    const ProgressSink& progress, const CancelFlag* cancel) {
  check(options);
  VerdictFile verdicts(options.verdicts);
  Judgement result;
  JudgeSummary& summary = result.summary;
  summary.model = options.model;
  summary.prompt_sha256 = judge_prompt_sha256();
  summary.questions = static_cast<int64_t>(questions.size());

  std::vector<std::string> keys;
  for (const JudgeQuestion& question : questions) {
    keys.push_back(VerdictFile::key_of(options, question));
  }
  for (const auto& other : options.others) verdicts.take_over(other, {keys.begin(), keys.end()});
  std::set<std::string> known;
  std::vector<Task> tasks;
  for (size_t i = 0; i < keys.size(); ++i) {
    const bool kept = settled(verdicts.replies(keys[i]), options);
    if (kept) ++summary.kept;
    if (known.insert(keys[i]).second && !kept) tasks.push_back({keys[i], &questions[i]});
  }
  JudgeRun run(options, verdicts, std::move(tasks));
  run.run(progress, cancel);

  for (const std::string& key : keys) {
    const KeptReplies kept = verdicts.replies(key);
    const auto failure = run.failures().find(key);
    JudgeOutcome outcome{.verdict = kept.verdict};
    if (kept.verdict) {
      ++summary.judged;
    } else if (failure != run.failures().end()) {
      outcome.failure = failure->second;
      if (summary.failed++ == 0) summary.first_failure = outcome.failure;
    } else {
      outcome.malformed = true;
      ++summary.malformed;
    }
    result.answers.push_back(std::move(outcome));
  }
  for (const std::string& key : known) {
    const KeptReplies kept = verdicts.replies(key);
    summary.replies += kept.replies;
    summary.replies_without_usage += kept.without_usage;
    summary.usage += kept.usage;
  }
  summary.requests = run.requests();
  summary.retries = run.retries();
  return result;
}

}  // namespace moviechat::judge
