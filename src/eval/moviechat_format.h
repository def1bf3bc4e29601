#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "eval/prediction.h"

namespace moviechat::eval {

/// Writes what the scoring scripts of the authors read (github.com/rese1f/MovieChat, eval_code/
/// Acc_score): of long films moviechat_global.json and moviechat_breakpoint.json, objects
/// {"1.mp4": [{"question", "answer", "pred"}, …], …} for run_eval_qa_moviechat.py; of short videos
/// moviechat_qa.json, a list of {"id", "question", "answer", "pred"} for run_eval_qa.py. Both take
/// answers for text, so an unknown one is "". Questions without a prediction are left out.
void write_moviechat_format(const std::filesystem::path& folder, DataSetKind kind,
                            const std::vector<Prediction>& rows);

/// All that write_moviechat_format may write.
std::vector<std::string> files_of_moviechat_format();

}  // namespace moviechat::eval
