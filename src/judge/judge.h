#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "judge/verdict.h"
#include "moviechat/callbacks.h"
#include "moviechat/time.h"

namespace moviechat::judge {

/// Address of a judge, and how it is asked.
struct JudgeOptions {
  std::string url;    // of an OpenAI-compatible API: https://host/v1
  std::string model;  // the name that the API knows it by
  std::string key;    // sent as a bearer token unless it is empty; never printed
  std::string body;   // JSON merged into every request (RFC 7396): {"temperature": null}
  std::filesystem::path verdicts;             // the file that keeps them
  std::vector<std::filesystem::path> others;  // such files of other runs: what they know is taken
  int64_t concurrency = 4;                    // requests at the same time
  int64_t retries = 6;                        // after a failed request
  int64_t malformed_retries = 2;              // after a reply that holds no verdict
  Seconds timeout{60};                        // of one request
  Seconds first_wait{0.5};   // before the first retry; doubled before each that follows
  Seconds longest_wait{60};  // before a retry; what Retry-After asks for may be longer
};

/// Tokens of a request and its reply.
struct TokenUsage {
  int64_t prompt = 0;
  int64_t completion = 0;
  TokenUsage& operator+=(const TokenUsage& other) {
    prompt += other.prompt;
    completion += other.completion;
    return *this;
  }
};
template <class Visitor>
void visit_fields(TokenUsage& o, Visitor& field) {
  field("prompt_tokens", o.prompt);
  field("completion_tokens", o.completion);
}

/// Outcome of one question: a verdict, only replies without one (malformed), or no reply (failed).
struct JudgeOutcome {
  std::optional<Verdict> verdict = {};
  bool malformed = false;
  std::string failure = {};  // why there was no reply
};

/// Summary of asking a judge about a set of answers.
struct JudgeSummary {
  std::string model;
  std::string prompt_sha256;
  int64_t questions = 0;
  int64_t judged = 0;
  int64_t malformed = 0;
  int64_t failed = 0;
  int64_t kept = 0;                   // questions whose verdict was there already
  int64_t requests = 0;               // sent now, retries included
  int64_t retries = 0;                // of these, requests that repeat one
  int64_t replies = 0;                // all that the answers above rest on, earlier runs' included
  int64_t replies_without_usage = 0;  // of these, those that did not say what they cost
  TokenUsage usage;                   // of all these replies
  std::string first_failure;
};
template <class Visitor>
void visit_fields(JudgeSummary& o, Visitor& field) {
  field("model", o.model);
  field("prompt_sha256", o.prompt_sha256);
  field("questions", o.questions);
  field("judged", o.judged);
  field("malformed", o.malformed);
  field("failed", o.failed);
  field("kept", o.kept);
  field("requests", o.requests);
  field("retries", o.retries);
  field("replies", o.replies);
  field("replies_without_usage", o.replies_without_usage);
  field("usage", o.usage);
}

/// Outcomes of all questions with their summary.
struct Judgement {
  std::vector<JudgeOutcome> answers;  // one for each question
  JudgeSummary summary;
};

/// Asks a judge about answers. Every reply is kept in a file by the hash of all that it depends on
/// (question, reference, answer, model, prompt, options.body) before it counts, so nothing is
/// asked twice: not on a second run, not for equal questions. Network failures, timeouts, 408, 429
/// and 5xx are retried after waits that double, with jitter, and not before Retry-After; malformed
/// replies are asked again, then counted apart. InputError stops at once when asking on is useless:
/// the key is refused, the address is wrong, or nothing works.
Judgement ask_judge(const std::vector<JudgeQuestion>& questions, const JudgeOptions& options,
                    const ProgressSink& progress, const CancelFlag* cancel);

}  // namespace moviechat::judge
