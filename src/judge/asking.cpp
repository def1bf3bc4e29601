#include "judge/asking.h"

#include <algorithm>
#include <cmath>
#include <thread>
#include <vector>

#include "base/workers.h"
#include "moviechat/error.h"
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

Asking::Asking(const JudgeOptions& options, VerdictFile& verdicts, std::deque<Task> tasks)
    : options_(options),
      verdicts_(verdicts),
      total_(tasks.size()),
      endpoint_(options),
      tasks_(std::move(tasks)) {}

void Asking::run(const ProgressSink& progress, const CancelFlag* cancel) {
  working_ = std::min(static_cast<size_t>(options_.concurrency), total_);
  const auto wanted = static_cast<int64_t>(working_);
  std::vector<std::thread> workers = start_threads(wanted, [this] { work(); });
  {
    const std::lock_guard lock(mutex_);
    working_ -= static_cast<size_t>(wanted - std::ssize(workers));
  }
  bool cancelled = false;
  {
    std::unique_lock lock(mutex_);
    while (working_ > 0) {
      changed_.wait_for(lock, kGlance);
      cancelled = cancelled || (cancel != nullptr && cancel->cancelled());
      if (cancelled) stopped_ = true;
      if (stopped_) {
        endpoint_.stop();
        changed_.notify_all();
      } else if (progress) {
        progress(
            {"judging", static_cast<int64_t>(done_), static_cast<int64_t>(total_), "questions"});
      }
    }
  }
  for (std::thread& worker : workers) worker.join();
  if (cancelled) throw Cancelled();
  if (error_) std::rethrow_exception(error_);
}

void Asking::work() {
  std::mt19937 random(std::random_device{}());
  try {
    while (const auto task = next()) finish(*task, ask(*task, random));
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
    stopped_ = true;
  }
  const std::lock_guard lock(mutex_);
  --working_;
  changed_.notify_all();
}

std::optional<Task> Asking::next() {
  const std::lock_guard lock(mutex_);
  if (stopped_ || tasks_.empty()) return std::nullopt;
  Task task = std::move(tasks_.front());
  tasks_.pop_front();
  return task;
}

void Asking::finish(const Task& task, std::string failure) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  ++done_;
  failures_in_a_row_ = failure.empty() ? 0 : failures_in_a_row_ + 1;
  if (failures_in_a_row_ >= kFailuresInARow) {
    give_up(failure + ", " + std::to_string(kFailuresInARow) + " questions in a row");
  }
  if (!failure.empty()) failures_.emplace(task.key, std::move(failure));
  changed_.notify_all();
}

/// Asks until there is a verdict or enough was tried. → why there was no reply, or "".
std::string Asking::ask(const Task& task, std::mt19937& random) {
  int64_t failed = 0;
  for (bool again = false;; again = true) {
    if (!wait_until_welcome()) return "";
    {
      const std::lock_guard lock(mutex_);
      ++requests_;
      if (again) ++retries_;
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
          give_up(exchange.failure + " and wants no request for " +
                  to_text(exchange.retry_after->count()) + " s");
        }
        if (exchange.retry_after) not_before(*exchange.retry_after);
        if (failed++ >= options_.retries) return exchange.failure;
        if (!wait_to_retry(failed, random)) return "";
        break;
      case Exchange::Outcome::refused:
        return exchange.failure;
      case Exchange::Outcome::useless:
        throw InputError("the judge at " + options_.url + " " + exchange.failure +
                         "; check --judge-url, --judge-model and the key");
    }
  }
}

/// Before the n-th retry: first_wait·2^(n-1), less up to half of it by chance, so that workers do
/// not come back together. False: the run stops.
bool Asking::wait_to_retry(int64_t retry, std::mt19937& random) {
  const Seconds doubled = options_.first_wait * std::pow(2.0, static_cast<double>(retry - 1));
  const Seconds wait =
      std::min(doubled, options_.longest_wait) * std::uniform_real_distribution(0.5, 1.0)(random);
  std::unique_lock lock(mutex_);
  const auto end = Clock::now() + ticks(wait);
  while (!stopped_ && Clock::now() < end) changed_.wait_until(lock, end);
  return !stopped_;
}

/// Retry-After holds for all questions, whether this one is asked again or not.
void Asking::not_before(Seconds wait) {
  const std::lock_guard lock(mutex_);
  welcome_ = std::max(welcome_, Clock::now() + ticks(wait));
}

/// False when the run stops.
bool Asking::wait_until_welcome() {
  std::unique_lock lock(mutex_);
  while (!stopped_ && Clock::now() < welcome_) changed_.wait_until(lock, welcome_);
  return !stopped_;
}

void Asking::give_up(const std::string& why) const {
  throw InputError("the judge at " + options_.url + " " + why +
                   "; what it said so far is kept, run again when it works");
}

}  // namespace moviechat::judge
