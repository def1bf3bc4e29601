#include <fmt/format.h>

#include "base/files.h"
#include "judge/verdict.h"

namespace moviechat::judge {

// reference: eval_code/Acc_score/run_eval_qa.py, from Video-ChatGPT's evaluate_activitynet_qa.py.
// The missing blanks and the example's 4.8 are theirs.
std::string_view judge_system_prompt() {
  return "You are an intelligent chatbot designed for evaluating the correctness of generative "
         "outputs for question-answer pairs. "
         "Your task is to compare the predicted answer with the correct answer and determine if "
         "they match meaningfully. Here's how you can accomplish the task:"
         "------"
         "##INSTRUCTIONS: "
         "- Focus on the meaningful match between the predicted answer and the correct answer.\n"
         "- Consider synonyms or paraphrases as valid matches.\n"
         "- Evaluate the correctness of the prediction compared to the answer.";
}

std::string judge_user_prompt(const JudgeQuestion& question) {
  return fmt::format(
      "Please evaluate the following video-based question-answer pair:\n\nQuestion: {}\nCorrect "
      "Answer: {}\nPredicted Answer: {}\n\nProvide your evaluation only as a yes/no and score "
      "where the score is an integer value between 0 and 5, with 5 indicating the highest "
      "meaningful match. Please generate the response in the form of a Python dictionary string "
      "with keys 'pred' and 'score', where value of 'pred' is  a string of 'yes' or 'no' and value "
      "of 'score' is in INTEGER, not STRING.DO NOT PROVIDE ANY OTHER OUTPUT TEXT OR EXPLANATION. "
      "Only provide the Python dictionary string. For example, your response should look like "
      "this: {{'pred': 'yes', 'score': 4.8}}.",
      question.question, question.reference, question.answer);
}

std::string judge_prompt_sha256() {
  static const std::string hash =
      sha256(std::string(judge_system_prompt()) + '\0' +
             judge_user_prompt({"{question}", "{reference}", "{answer}"}));
  return hash;
}

}  // namespace moviechat::judge
