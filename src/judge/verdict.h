#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace moviechat::judge {

/// What a judge says of an answer.
struct Verdict {
  bool right = false;  // 'pred': 'yes'
  double score = 0;    // 0 to 5
  bool operator==(const Verdict&) const = default;
};

/// The shortest reply that parse_verdict reads so.
std::string reply_of(const Verdict& verdict);

/// A judge's reply → its verdict: a Python or JSON dictionary with 'pred' (yes or no) and 'score'
/// (0 to 5), whatever stands around it (code fences, prose, thoughts before </think>) or beside
/// them in it. nullopt when there is none, when two contradict each other, or when braces and
/// quotes are such that reading takes more steps than a few for each character.
std::optional<Verdict> parse_verdict(std::string_view reply);

/// The question that a judge is asked: prompts of the authors' run_eval_qa.py, which are
/// Video-ChatGPT's, to the letter.
struct JudgeQuestion {
  std::string question;
  std::string reference;
  std::string answer;
};
std::string_view judge_system_prompt();
std::string judge_user_prompt(const JudgeQuestion& question);

/// SHA-256 of both prompts with their places for question, reference and answer left open.
std::string judge_prompt_sha256();

/// How the authors' run_eval_qa_moviechat.py counts a verdict. It takes an answer that holds the
/// reference as right whatever the judge says; for questions that begin with do, does, is or are
/// and answers that hold Yes or No it lets that alone decide; and it leaves out what the judge's
/// score then contradicts (right below 2.9, wrong above it): nullopt.
std::optional<Verdict> counted_as_released(const JudgeQuestion& question, const Verdict& verdict);

}  // namespace moviechat::judge
