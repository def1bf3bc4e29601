#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace moviechat::judge {

/// Judge's verdict on an answer.
struct Verdict {
  bool right = false;  // 'pred': 'yes'
  double score = 0;    // 0 to 5
  bool operator==(const Verdict&) const = default;
};

/// Shortest reply that parse_verdict() reads as this verdict.
std::string reply_of(const Verdict& verdict);

/// Verdict in a judge's reply: a Python or JSON dictionary with 'pred' (yes or no) and 'score' (0
/// to 5), whatever stands around it (code fences, prose, thoughts before </think>) or beside them
/// in it. nullopt when there is none, when two contradict each other, or when braces and quotes are
/// such that reading takes more steps than a few for each character.
std::optional<Verdict> parse_verdict(std::string_view reply);

/// Question with its right answer and the answer to judge. The prompts are those of the authors'
/// run_eval_qa.py, which are Video-ChatGPT's, to the letter.
struct JudgeQuestion {
  std::string question;
  std::string reference;
  std::string answer;
};
std::string_view judge_system_prompt();
std::string judge_user_prompt(const JudgeQuestion& question);

/// SHA-256 of both prompts with placeholders for question, reference and answer.
std::string judge_prompt_sha256();

/// Verdict as the authors' run_eval_qa_moviechat.py counts it. It takes an answer that holds the
/// reference as right whatever the judge says; for questions that begin with do, does, is or are
/// and answers that hold Yes or No it lets that alone decide; and it leaves out what the judge's
/// score then contradicts (right below 2.9, wrong above it): nullopt.
std::optional<Verdict> counted_as_released(const JudgeQuestion& question, const Verdict& verdict);

}  // namespace moviechat::judge
