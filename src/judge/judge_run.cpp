#include "judge/judge_run.h"

#include <algorithm>
#include <cmath>

#include "base/message.h"
#include "base/workers.h"
#include "moviechat/fields.h"

namespace moviechat::judge {
namespace {

constexpr int64_t kFailuresInARow = 8;  // questions without a reply before the run gives up
constexpr Seconds kLongestRetryAfter{600};
constexpr std::chrono::milliseconds kGlance{50};  // how often the user's wish to stop is looked at

std::chrono::steady_clock::duration ticks(Seconds seconds) {
  return std::chrono::ceil<std::chrono::steady_clock::duration>(seconds);
}

}  // namespace

JudgeRun::JudgeRun(const JudgeOptions& options, VerdictFile& verdicts, std::vector<Task> tasks)
    : options_(options), verdicts_(verdicts), tasks_(std::move(tasks)), endpoint_(options) {}

void JudgeRun::run(const ProgressSink& progress, const CancelFlag* cancel) {
  const int64_t total = std::ssize(tasks_);
  if (total == 0) return;
  bool cancelled = false;
  {
    Workers workers(std::min(options_.concurrency, total));
    for (const Task& task : tasks_) workers.run([this, &task] { work_on(task); });
    std::unique_lock lock(mutex_);
    while (done_ < total && !stopped_) {
      changed_.wait_for(lock, kGlance);
      cancelled = cancel != nullptr && cancel->cancelled();
      if (cancelled) stopped_ = true;
      if (!stopped_ && progress) progress({"judging", done_, total, "questions"});
    }
    endpoint_.stop();
    changed_.notify_all();
  }
  if (cancelled) throw Cancelled();
  if (error_) std::rethrow_exception(error_);
}

void JudgeRun::work_on(const Task& task) {
  try {
    finish(task, ask(task));
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
    stopped_ = true;
    changed_.notify_all();
  }
}

void JudgeRun::finish(const Task& task, std::string failure) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  ++done_;
  failures_.in_a_row = failure.empty() ? 0 : failures_.in_a_row + 1;
  if (failures_.in_a_row >= kFailuresInARow) {
    give_up(fmt::format("{}, {} questions in a row", failure, kFailuresInARow));
  }
  if (!failure.empty()) failures_.by_key.emplace(task.key, std::move(failure));
  changed_.notify_all();
}

/// Asks until there is a verdict or the retries are used up. Returns why there was no reply, or "".
std::string JudgeRun::ask(const Task& task) {
  int64_t failed = 0;
  for (bool again = false;; again = true) {
    if (!wait_until_welcome()) return "";
    {
      const std::lock_guard lock(mutex_);
      ++requests_.sent;
      if (again) ++requests_.repeated;
    }
    const Exchange exchange = endpoint_.ask(*task.question);
    switch (exchange.outcome) {
      case Exchange::Outcome::replied: {
        verdicts_.add(task.key, options_.model, exchange.text, exchange.usage);
        const KeptReplies kept = verdicts_.replies(task.key);
        if (kept.verdict || kept.malformed > options_.malformed_retries) return "";
        break;
      }
      case Exchange::Outcome::busy:
        if (exchange.retry_after > kLongestRetryAfter) {
          give_up(fmt::format("{} and wants no request for {} s", exchange.failure,
                              to_text(exchange.retry_after->count())));
        }
        if (exchange.retry_after) not_before(*exchange.retry_after);
        if (failed++ >= options_.retries) return exchange.failure;
        if (!wait_to_retry(failed)) return "";
        break;
      case Exchange::Outcome::refused:
        return exchange.failure;
      case Exchange::Outcome::useless:
        throw input_error("the judge at {} {}; check --judge-url, --judge-model and the key",
                          options_.url, exchange.failure);
    }
  }
}

/// Waits before the n-th retry: first_wait·2^(n-1), less a random part of up to half, so that
/// workers do not come back together. False when the run stops.
bool JudgeRun::wait_to_retry(int64_t retry) {
  const Seconds doubled = options_.first_wait * std::pow(2.0, static_cast<double>(retry - 1));
  std::unique_lock lock(mutex_);
  const Seconds wait =
      std::min(doubled, options_.longest_wait) * std::uniform_real_distribution(0.5, 1.0)(random_);
  const auto end = Clock::now() + ticks(wait);
  while (!stopped_ && Clock::now() < end) changed_.wait_until(lock, end);
  return !stopped_;
}

/// Delays the requests of all workers by a Retry-After, whether this question is asked again or
/// not.
void JudgeRun::not_before(Seconds wait) {
  const std::lock_guard lock(mutex_);
  welcome_ = std::max(welcome_, Clock::now() + ticks(wait));
}

/// Waits until the judge takes requests again. False when the run stops.
bool JudgeRun::wait_until_welcome() {
  std::unique_lock lock(mutex_);
  while (!stopped_ && Clock::now() < welcome_) changed_.wait_until(lock, welcome_);
  return !stopped_;
}

void JudgeRun::give_up(const std::string& why) const {
  throw input_error("the judge at {} {}; what it said so far is kept, run again when it works",
                    options_.url, why);
}

}  // namespace moviechat::judge
